/*
 * tools/signet.c - signet: one tool; what is not a subcommand is a command for the server
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "tools/checkconf.h"
#include "tools/checkzone.h"
#include "tools/control.h"
#include "tools/dsfromkey.h"
#include "tools/journal.h"
#include "tools/keygen.h"
#include "tools/restore.h"
#include "tools/simulate.h"

static const struct subcommand {
    const char *name;
    int (*run)(int count, char **arguments);
    const char *purpose;
} subcommands[] = {
    {"checkconf", tool_checkconf, "check a configuration"},
    {"checkzone", tool_checkzone, "check a zone file"},
    {"dsfromkey", tool_dsfromkey, "the DS records for a key, for the parent"},
    {"journal", tool_journal, "what changed in a zone, and when"},
    {"keygen", tool_keygen, "make a key pair"},
    {"restore", tool_restore, "bring back a backup"},
    {"simulate", tool_simulate, "what a policy will do to a zone's keys, years ahead"},
};

static void help(FILE *out)
{
    fputs("usage: signet SUBCOMMAND [options]        works by itself:\n", out);
    for (size_t i = 0; i < ARRAY_LEN(subcommands); i++) {
        fprintf(out, "  %-12s %s\n", subcommands[i].name, subcommands[i].purpose);
    }
    fputs("  help         this text\n"
          "  version      which version this is\n\n"
          "usage: signet [rndc's flags] COMMAND ...  is sent to the server:\n"
          "  status                        how the server is\n"
          "  reload [zone [class [view]]]  read the configuration and changed zones again\n"
          "  reconfig                      read the configuration and new zones\n"
          "  zonestatus zone               how a zone is\n"
          "  showzone zone                 its statement\n"
          "  loadkeys zone                 look at its keys now\n"
          "  sign zone                     sign all of it anew\n"
          "  dnssec -status [-json] zone   what its keys do, and what they wait for\n"
          "  dnssec -checkds published zone, -checkds withdrawn zone  what the parent has done\n"
          "  dnssec -rollover -key id zone roll a key; -step: let begin what is due (manual-mode)\n"
          "  signing -list zone            which keys sign it\n"
          "  signing -serial number zone   raise its serial\n"
          "  freeze [zone], thaw [zone]    before and after its file is edited by hand\n"
          "  sync [zone]                   write the file of a zone that takes updates\n"
          "  refresh zone, retransfer zone a secondary: ask its primaries; fetch all of it\n"
          "  notify zone                   tell its secondaries once more\n"
          "  addzone zone { options };     a new zone; also modzone, delzone [-clean] zone\n"
          "  backup path                   copy store and keys into a new folder\n"
          "  clock [-accept]               is the clock in doubt? it is right\n"
          "  scan                          look at the host's addresses again\n"
          "  querylog [on | off]           log each query\n"
          "  trace [level], notrace        more and less in the log\n"
          "  stats                         write the statistics file\n"
          "  null                          nothing: does the server answer?\n"
          "  stop [-p], halt [-p]          end the server\n\n"
          "`signet SUBCOMMAND -h` has a subcommand's options, signet(8) has all of it.\n",
          out);
}

int main(int count, char **arguments)
{
    const char *word = count > 1 ? arguments[1] : "";

    if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        help(stdout);
        return EXIT_SUCCESS;
    }
    if (strcmp(word, "version") == 0 || strcmp(word, "--version") == 0) {
        puts("Signet " SIGNET_VERSION);
        return EXIT_SUCCESS;
    }
    if (count < 2) {
        help(stderr);
        return EXIT_FAILURE;
    }
    for (size_t i = 0; i < ARRAY_LEN(subcommands); i++) {
        if (strcmp(word, subcommands[i].name) == 0) {
            return subcommands[i].run(count - 1, arguments + 1);
        }
    }
    return tool_control(count, arguments);
}
