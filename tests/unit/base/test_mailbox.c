#include "base/mailbox.h"
#include "base/thread.h"
#include "base/time.h"
#include "support/table.h"

enum { SENDERS = 4, LETTERS = 2000 };

struct numbered {
    struct letter letter;
    int sender, number;
};

static struct mailbox box;

static void *send_all(void *argument)
{
    struct numbered *letters = argument;
    for (int i = 0; i < LETTERS; i++) {
        mailbox_send(&box, &letters[i].letter);
    }
    return NULL;
}

static void each_senders_letters_arrive_in_order(void **state)
{
    (void)state;
    static struct numbered letters[SENDERS][LETTERS];
    pthread_t threads[SENDERS];
    int next[SENDERS] = {0};
    mailbox_init(&box, NULL, NULL);
    for (int s = 0; s < SENDERS; s++) {
        for (int i = 0; i < LETTERS; i++) {
            letters[s][i].sender = s;
            letters[s][i].number = i;
        }
        assert_int_equal(thread_start(&threads[s], send_all, letters[s]), SG_OK);
    }
    for (int i = 0; i < SENDERS * LETTERS; i++) {
        struct numbered *letter = (struct numbered *)mailbox_wait(&box);
        assert_int_equal(letter->number, next[letter->sender]++);
    }
    for (int s = 0; s < SENDERS; s++) {
        pthread_join(threads[s], NULL);
    }
    mailbox_clear(&box);
}

static int wakes;

static void count_wake(void *argument)
{
    (void)argument;
    wakes++;
}

static void an_empty_box_wakes_its_owner_once(void **state)
{
    (void)state;
    struct letter letters[3];
    mailbox_init(&box, count_wake, NULL);
    for (int i = 0; i < 3; i++) {
        assert_true(mailbox_send(&box, &letters[i]));
    }
    assert_int_equal(wakes, 1);
    assert_ptr_equal(mailbox_take(&box), &letters[0]);
    assert_true(mailbox_send_first(&box, &letters[0]));
    assert_ptr_equal(mailbox_take_all(&box), &letters[0]);
    assert_null(mailbox_take(&box));
    assert_true(mailbox_send(&box, &letters[0]));
    assert_int_equal(wakes, 2);
    assert_ptr_equal(mailbox_take(&box), &letters[0]);
    mailbox_clear(&box);
}

static void a_closed_box_takes_nothing_and_ends_the_wait(void **state)
{
    (void)state;
    struct letter letters[2];
    mailbox_init(&box, NULL, NULL);
    assert_true(mailbox_send(&box, &letters[0]));
    mailbox_close(&box);
    assert_false(mailbox_send(&box, &letters[1]));
    assert_ptr_equal(mailbox_wait(&box), &letters[0]);
    assert_null(mailbox_wait(&box));
    mailbox_clear(&box);
}

static void a_wait_with_an_end_gives_what_is_there_and_then_nothing(void **state)
{
    (void)state;
    struct letter letters[1];
    mailbox_init(&box, NULL, NULL);
    assert_true(mailbox_send(&box, &letters[0]));
    assert_ptr_equal(mailbox_wait_until(&box, 0), &letters[0]);
    uint64_t until = time_monotonic_ns() + 1000000;
    assert_null(mailbox_wait_until(&box, until));
    assert_true(time_monotonic_ns() >= until);
    assert_false(mailbox_is_over(&box));
    assert_true(mailbox_send(&box, &letters[0]));
    mailbox_close(&box);
    assert_false(mailbox_is_over(&box));
    assert_ptr_equal(mailbox_wait_until(&box, UINT64_MAX / 2), &letters[0]);
    assert_null(mailbox_wait_until(&box, UINT64_MAX / 2));
    assert_true(mailbox_is_over(&box));
    mailbox_clear(&box);
}

static void urgent_letters_come_first_in_order_of_arrival(void **state)
{
    (void)state;
    /* In this order, the urgent ones are those with a capital letter. */
    static const struct {
        const char *sent, *taken;
    } rows[] = {{"A", "A"}, {"AB", "AB"}, {"aB", "Ba"}, {"AbCd", "ACbd"}, {"abCD", "CDab"}};
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        struct numbered letters[4];
        mailbox_init(&box, NULL, NULL);
        for (size_t i = 0; rows[row].sent[i] != '\0'; i++) {
            letters[i].number = rows[row].sent[i];
            bool urgent = letters[i].number < 'a';
            assert_true(urgent ? mailbox_send_first(&box, &letters[i].letter)
                               : mailbox_send(&box, &letters[i].letter));
        }
        for (const char *next = rows[row].taken; *next != '\0'; next++) {
            struct letter *urgent = mailbox_take_urgent(&box);
            assert_int_equal(urgent != NULL, *next < 'a');
            struct letter *letter = urgent != NULL ? urgent : mailbox_take(&box);
            assert_int_equal(((struct numbered *)letter)->number, *next);
        }
        assert_null(mailbox_take(&box));
        assert_true(mailbox_send_first(&box, &letters[0].letter)); /* It is as it was. */
        assert_ptr_equal(mailbox_take_all(&box), &letters[0].letter);
        assert_null(mailbox_take_urgent(&box));
        mailbox_clear(&box);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urgent_letters_come_first_in_order_of_arrival),
        cmocka_unit_test(each_senders_letters_arrive_in_order),
        cmocka_unit_test(an_empty_box_wakes_its_owner_once),
        cmocka_unit_test(a_closed_box_takes_nothing_and_ends_the_wait),
        cmocka_unit_test(a_wait_with_an_end_gives_what_is_there_and_then_nothing),
    };
    return cmocka_run_group_tests_name("mailbox", tests, NULL, NULL);
}
