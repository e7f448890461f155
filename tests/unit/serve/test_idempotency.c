#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "serve/idempotency.h"
#include "support/cleanup.h"

static struct idempotency *memory;
static struct buffer answer;

static void memory_begin(void)
{
    memory = idempotency_create();
}

static void memory_end(void)
{
    idempotency_destroy(&memory);
    buffer_fini(&answer);
}

TestSuite(idempotency, .init = memory_begin, .fini = memory_end);

static enum idempotency_answer begin(const char *key, const char *body)
{
    return idempotency_begin(memory, key, body, strlen(body), &answer);
}

Test(idempotency, the_same_key_and_body_get_the_same_answer)
{
    cr_assert_eq(begin("k", "body"), IDEMPOTENCY_NEW);
    cr_assert_eq(begin("k", "body"), IDEMPOTENCY_BUSY);
    idempotency_keep(memory, "k", "{\"job\":1}");
    cr_assert_eq(begin("k", "body"), IDEMPOTENCY_KNOWN);
    cr_assert_str_eq(buffer_text(&answer), "{\"job\":1}");
}

Test(idempotency, a_key_with_another_body_is_told_apart)
{
    cr_assert_eq(begin("k", "body"), IDEMPOTENCY_NEW);
    cr_assert_eq(begin("k", "other"), IDEMPOTENCY_OTHER);
    idempotency_keep(memory, "k", "{}");
    cr_assert_eq(begin("k", "other"), IDEMPOTENCY_OTHER);
    cr_assert_eq(begin("l", "other"), IDEMPOTENCY_NEW);
}

Test(idempotency, what_came_to_nothing_may_be_sent_again)
{
    cr_assert_eq(begin("k", "body"), IDEMPOTENCY_NEW);
    idempotency_forget(memory, "k");
    cr_assert_eq(begin("k", "other"), IDEMPOTENCY_NEW);
}

Test(idempotency, only_the_latest_keys_are_known)
{
    char key[32];
    for (int i = 0; i <= IDEMPOTENCY_KEYS_MOST; i++) {
        snprintf(key, sizeof key, "key %d", i);
        cr_assert_eq(begin(key, ""), IDEMPOTENCY_NEW);
        idempotency_keep(memory, key, "{}");
    }
    cr_assert_eq(begin("key 0", ""), IDEMPOTENCY_NEW, "it was the oldest");
    cr_assert_eq(begin(key, ""), IDEMPOTENCY_KNOWN);
}

Test(idempotency, the_oldest_of_long_answers_are_forgotten)
{
    static char megabyte[1024 * 1024 + 1];
    char key[32];
    memset(megabyte, 'x', sizeof megabyte - 1);
    size_t fit = IDEMPOTENCY_MOST_BYTES / sizeof megabyte;
    for (size_t i = 0; i <= fit; i++) {
        snprintf(key, sizeof key, "key %zu", i);
        cr_assert_eq(begin(key, ""), IDEMPOTENCY_NEW);
        idempotency_keep(memory, key, megabyte);
    }
    cr_assert_eq(begin(key, ""), IDEMPOTENCY_KNOWN);
    cr_assert_eq(begin("key 2", ""), IDEMPOTENCY_KNOWN);
    cr_assert_eq(begin("key 0", ""), IDEMPOTENCY_NEW, "one more is more than fits");
}

Test(idempotency, an_answer_that_alone_is_too_long_is_known_until_the_next_one)
{
    static char text[IDEMPOTENCY_MOST_BYTES + 1];
    memset(text, 'x', sizeof text - 1);
    cr_assert_eq(begin("long", ""), IDEMPOTENCY_NEW);
    idempotency_keep(memory, "long", text);
    cr_assert_eq(begin("long", ""), IDEMPOTENCY_KNOWN);
    cr_assert_eq(begin("next", ""), IDEMPOTENCY_NEW);
    cr_assert_eq(begin("long", ""), IDEMPOTENCY_NEW);
}

Test(idempotency, a_key_is_of_1_to_200_printable_letters)
{
    char longest[IDEMPOTENCY_KEY_MOST_BYTES + 2];
    memset(longest, 'x', sizeof longest);
    longest[IDEMPOTENCY_KEY_MOST_BYTES] = '\0';
    cr_assert(idempotency_key_is_valid("5f3a: nightly"));
    cr_assert(idempotency_key_is_valid(longest));
    longest[IDEMPOTENCY_KEY_MOST_BYTES] = 'x';
    longest[IDEMPOTENCY_KEY_MOST_BYTES + 1] = '\0';
    cr_assert_not(idempotency_key_is_valid(longest));
    cr_assert_not(idempotency_key_is_valid(""));
    cr_assert_not(idempotency_key_is_valid("tab\t"));
    cr_assert_not(idempotency_key_is_valid("\xc3\xa4"));
}

/* As the next daemon hears of it. */
static void restart(const char *key, int64_t age_ns, const char *text)
{
    CLEANUP(buffer_fini) struct buffer note = BUFFER_EMPTY;
    idempotency_note(memory, key, &note);
    idempotency_destroy(&memory);
    memory = idempotency_create();
    idempotency_restore(memory, buffer_text(&note), age_ns, text);
}

Test(idempotency, what_is_restored_is_answered_as_before)
{
    cr_assert_eq(begin("job a key", "body"), IDEMPOTENCY_NEW);
    restart("job a key", NS_PER_S, "answer");
    cr_assert_eq(begin("job a key", "body"), IDEMPOTENCY_KNOWN);
    cr_assert_eq(begin("job a key", "other"), IDEMPOTENCY_OTHER);
}

Test(idempotency, what_is_a_day_old_is_not_restored)
{
    cr_assert_eq(begin("job k", "body"), IDEMPOTENCY_NEW);
    restart("job k", IDEMPOTENCY_AGE_NS, "answer");
    cr_assert_eq(begin("job k", "other"), IDEMPOTENCY_NEW);
}

Test(idempotency, of_a_key_that_is_restored_twice_the_last_counts)
{
    idempotency_restore(memory, "00000000000000aa 1 job k", 2, "first");
    idempotency_restore(memory, "cbf29ce484222325 0 job k", 1, "second");
    cr_assert_eq(begin("job k", ""), IDEMPOTENCY_KNOWN);
}

Test(idempotency, what_is_no_note_is_nothing)
{
    idempotency_restore(memory, "", 0, "answer");
    idempotency_restore(memory, "cbf29ce484222325 0 ", 0, "answer");
    idempotency_restore(memory, "nothing of the kind", 0, "answer");
    cr_assert_eq(begin("", ""), IDEMPOTENCY_NEW);
}
