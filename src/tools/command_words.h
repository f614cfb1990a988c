/*
 * tools/command_words.h - the words that `signet` knows, to tell a slip of the finger
 */
#pragma once

#include <stdbool.h>

/* Is it a subcommand, or a command that signetd or named knows? Case does not matter. */
bool command_word_is_known(const char *word);

/*
 * The known word that was probably meant: one letter wrong, missing, too many or two changed
 * places, in long words twice. NULL when there is none. The word itself is never the answer.
 */
const char *command_word_meant(const char *word);
