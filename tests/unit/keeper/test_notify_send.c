#include "keeper/notify_send.h"
#include "script.h"

enum { T0 = 1700000000, TARGETS = 3, ZONES = 2, DELAY = 5 };

struct scene {
    struct notify_sender *sender;
    struct notify_zone zones[ZONES];
    struct notify_ask *asks[ZONES][TARGETS];
    sg_time now;
    int verdict;
};

static struct notify_targets targets_of(struct remote remotes[TARGETS], size_t count)
{
    for (unsigned i = 0; i < TARGETS; i++) {
        remotes[i] =
            (struct remote){.address = {192, 0, 2, (uint8_t)i}, .address_length = 4, .port = 53};
    }
    return (struct notify_targets){.remotes = remotes, .count = count};
}

static void changed(struct scene *scene, size_t zone, uint32_t serial, size_t count, bool startup)
{
    struct remote remotes[TARGETS];
    struct notify_targets targets = targets_of(remotes, count);
    const struct notify_news news = {&scene->zones[zone], serial, DELAY, startup};

    notify_send_changed(scene->sender, &scene->zones[zone], &news, &targets, scene->now);
}

/* changed:ZONE:SERIAL:TARGETS */
static void w_changed(void *argument, const struct script_word *word)
{
    changed(argument, (size_t)word->numbers[0], (uint32_t)word->numbers[1],
            (size_t)word->numbers[2], false);
}

static void w_started(void *argument, const struct script_word *word)
{
    changed(argument, (size_t)word->numbers[0], (uint32_t)word->numbers[1],
            (size_t)word->numbers[2], true);
}

static void w_clear(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    notify_send_clear(scene->sender, &scene->zones[word->numbers[0]]);
}

/* send:ZONE:TARGET:SERIAL:ATTEMPT is ordered now. */
static void w_send(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    struct notify_order order;

    script_expect(notify_send_wake(scene->sender, scene->now) <= scene->now + 1, 1);
    script_expect(notify_send_next(scene->sender, scene->now, &order), true);
    size_t zone = (size_t)((struct notify_zone *)order.owner - scene->zones);
    script_expect(zone, word->numbers[0]);
    script_expect(order.remote.address[3], word->numbers[1]);
    script_expect(order.serial, word->numbers[2]);
    script_expect(order.attempt, word->numbers[3]);
    script_expect(order.timeout, 15);
    scene->asks[zone][order.remote.address[3]] = order.ask;
}

/* So many orders, whatever they are; then no more. */
static void w_sends(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    struct notify_order order;
    long sent = 0;

    while (notify_send_next(scene->sender, scene->now, &order)) {
        size_t zone = (size_t)((struct notify_zone *)order.owner - scene->zones);
        scene->asks[zone][order.remote.address[3]] = order.ask;
        sent++;
    }
    script_expect(sent, word->numbers[0]);
}

static void w_none(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    struct notify_order order;

    (void)word;
    script_expect(notify_send_next(scene->sender, scene->now, &order), false);
}

static void answered(struct scene *scene, const struct script_word *word, enum sg_result result,
                     uint16_t rcode)
{
    struct notify_ask *ask = scene->asks[word->numbers[0]][word->numbers[1]];

    script_expect(ask != NULL, 1);
    scene->asks[word->numbers[0]][word->numbers[1]] = NULL;
    scene->verdict = (int)notify_send_answered(scene->sender, ask, result, rcode, scene->now);
}

static void w_ok(void *scene, const struct script_word *word)
{
    answered(scene, word, SG_OK, DNS_RCODE_NOERROR);
}

static void w_rcode(void *scene, const struct script_word *word)
{
    answered(scene, word, SG_OK, (uint16_t)word->numbers[2]);
}

static void w_silent(void *scene, const struct script_word *word)
{
    answered(scene, word, SG_TIMEOUT, 0);
}

static void w_badsig(void *scene, const struct script_word *word)
{
    answered(scene, word, SG_BAD_SIG, 0);
}

static void w_pass(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    scene->now += word->numbers[0];
}

static void w_wake(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    script_expect(notify_send_wake(scene->sender, scene->now) - scene->now, word->numbers[0]);
}

static void w_back(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    scene->now -= word->numbers[0];
    notify_send_clock_set_back(scene->sender, word->numbers[0]);
}

static void w_quiet(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    (void)word;
    script_expect(notify_send_wake(scene->sender, scene->now), INT64_MAX);
    script_expect(scene->zones[0].targets_count + scene->zones[1].targets_count, 0);
}

static void w_out(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    script_expect(notify_send_out(scene->sender), word->numbers[0]);
}

static void w_rates(void *argument, const struct script_word *word)
{
    struct scene *scene = argument;
    notify_sender_set_rates(scene->sender, (unsigned)word->numbers[0], (unsigned)word->numbers[1]);
}

#define VERDICT(name, value)                                                                       \
    static void name(void *argument, const struct script_word *word)                               \
    {                                                                                              \
        struct scene *scene = argument;                                                            \
        (void)word;                                                                                \
        script_expect(scene->verdict, value);                                                      \
    }
VERDICT(v_told, NOTIFY_TOLD)
VERDICT(v_refused, NOTIFY_REFUSED)
VERDICT(v_again, NOTIFY_AGAIN)
VERDICT(v_given_up, NOTIFY_GIVEN_UP)
VERDICT(v_outdated, NOTIFY_OUTDATED)

static const struct script_deed words[] = {
    {"+", w_pass},          {"back", w_back},         {"changed", w_changed},
    {"started", w_started}, {"clear", w_clear},       {"send", w_send},
    {"sends", w_sends},     {"none", w_none},         {"ok", w_ok},
    {"rcode", w_rcode},     {"silent", w_silent},     {"badsig", w_badsig},
    {"wake", w_wake},       {"quiet", w_quiet},       {"out", w_out},
    {"rates", w_rates},     {"=told", v_told},        {"=refused", v_refused},
    {"=again", v_again},    {"=givenup", v_given_up}, {"=outdated", v_outdated},
    {NULL, NULL},
};

/* clang-format off */
static const struct row {
    const char *name;
    const char *script;
} rows[] = {
    {"a change is told at once, to all",
     "changed:0:7:2 wake:0 send:0:0:7:1 send:0:1:7:1 none out:2 ok:0:0 =told ok:0:1 =told quiet out:0"},
    {"nobody to tell", "changed:0:7:0 none quiet"},
    {"notify-delay: what changes soon after is told together",
     "changed:0:7:1 send:0:0:7:1 ok:0:0 +:1 changed:0:8:1 none wake:4 +:2 changed:0:9:1 none wake:2 +:2 send:0:0:9:1 ok:0:0 quiet"},
    {"and the next again", "changed:0:7:1 sends:1 ok:0:0 changed:0:8:1 +:5 send:0:0:8:1 ok:0:0 changed:0:9:1 none wake:5 +:5 send:0:0:9:1 ok:0:0"},
    {"after notify-delay it is at once again", "changed:0:7:1 sends:1 ok:0:0 +:5 changed:0:8:1 send:0:0:8:1 ok:0:0"},
    {"what changes before anything was sent is told with it", "changed:0:7:1 changed:0:8:1 wake:0 send:0:0:8:1 ok:0:0 quiet"},
    {"in the very second in which it is due, too",
     "changed:0:7:1 sends:1 ok:0:0 +:1 changed:0:8:1 +:4 changed:0:9:1 wake:0 send:0:0:9:1 ok:0:0 changed:0:10:1 none wake:5 +:5 sends:1 ok:0:0"},
    {"not where one target has been told",
     "changed:0:7:2 rates:1:0 sends:1 ok:0:0 changed:0:8:2 none wake:5 +:5 sends:1 +:1 sends:1 ok:0:0 ok:0:1 quiet"},
    {"each zone has its own delay", "changed:0:7:1 sends:1 changed:1:3:1 send:1:0:3:1 ok:1:0 ok:0:0"},
    /* RFC 1996 3.6: silence is met with tries, further and further apart */
    {"silence: 15, 30, 60, 120 s after the last one, five in all",
     "changed:0:7:1 send:0:0:7:1 +:15 silent:0:0 =again wake:0 send:0:0:7:2 +:15 silent:0:0 =again wake:15 +:15 send:0:0:7:3"
     " +:15 silent:0:0 =again wake:45 +:45 send:0:0:7:4 +:15 silent:0:0 =again wake:105 +:105 send:0:0:7:5 +:15 silent:0:0 =givenup quiet"},
    {"who fails at once is tried no sooner", "changed:0:7:1 sends:1 silent:0:0 =again none wake:15"},
    {"one that is silent does not hold up the others",
     "changed:0:7:2 sends:2 ok:0:1 =told +:15 silent:0:0 =again send:0:0:7:2 ok:0:0 =told quiet"},
    {"SERVFAIL may pass", "changed:0:7:1 sends:1 rcode:0:0:2 =again wake:15"},
    {"a false signature may have been another's", "changed:0:7:1 sends:1 badsig:0:0 =again"},
    {"NOTIMP: it does not know NOTIFY", "changed:0:7:1 sends:1 rcode:0:0:4 =refused quiet"},
    {"REFUSED, NOTAUTH: it does not want to", "changed:0:7:2 sends:2 rcode:0:0:5 =refused rcode:0:1:9 =refused quiet"},
    {"a newer serial begins anew",
     "changed:0:7:1 sends:1 +:15 silent:0:0 sends:1 +:15 silent:0:0 changed:0:8:1 send:0:0:8:1 +:15 silent:0:0 =again wake:0"},
    {"an answer to an older serial counts no more",
     "changed:0:7:1 sends:1 +:5 changed:0:8:1 ok:0:0 =outdated send:0:0:8:1 ok:0:0 =told quiet"},
    {"a zone that goes", "changed:0:7:2 sends:2 ok:0:0 clear:0 ok:0:1 =outdated quiet"},
    {"a zone that goes with nothing sent", "changed:0:7:2 clear:0 none quiet"},
    {"targets may change", "changed:0:7:3 sends:3 ok:0:0 ok:0:1 ok:0:2 +:5 changed:0:8:1 send:0:0:8:1 none ok:0:0"},
    {"nobody to tell any more", "changed:0:7:3 sends:3 changed:0:8:0 ok:0:0 =outdated ok:0:1 ok:0:2 quiet"},
    /* notify-rate, startup-notify-rate */
    {"notify-rate", "rates:2:0 changed:0:7:3 changed:1:3:3 sends:2 wake:1 +:1 sends:2 +:1 sends:2 +:1 none"},
    {"startup-notify-rate", "rates:0:1 started:0:7:3 sends:1 wake:1 +:1 sends:1 +:1 sends:1"},
    {"a change does not wait behind those that start",
     "rates:2:1 started:0:7:3 changed:1:3:1 send:1:0:3:1 send:0:0:7:1 none wake:1"},
    {"tries count as well", "rates:1:0 changed:0:7:1 sends:1 changed:1:3:1 none +:15 silent:0:0 sends:1 +:1 sends:1"},
    {"a clock that was set back: what is due and what is out",
     "changed:0:7:1 sends:1 +:15 silent:0:0 sends:1 +:15 silent:0:0 =again wake:15 back:100000 wake:15 +:15 sends:1 back:1000 silent:0:0 =again wake:60"},
    {"a clock that was set back", "changed:0:7:1 sends:1 ok:0:0 +:-100000 changed:0:8:1 send:0:0:8:1 ok:0:0"},
};
/* clang-format on */

static void it_is_told(void **state)
{
    const struct row *row = *state;
    struct scene scene = {.sender = notify_sender_new(0, 0), .now = T0};

    script_run(row->script, words, &scene);
    notify_send_clear(scene.sender, &scene.zones[0]);
    notify_send_clear(scene.sender, &scene.zones[1]);
    notify_sender_free(scene.sender); /* what is out is nobody's any more */
}

int main(void)
{
    return RUN_TABLE(rows, it_is_told);
}
