#include <criterion/criterion.h>
#include <stdio.h>

#include "support/dictionary.h"

struct word {
    struct dictionary_entry entry;
    char text[16];
};

Test(dictionary, finds_what_was_added_and_not_taken_out)
{
    static struct word words[5000];
    struct dictionary dictionary;
    dictionary_init(&dictionary);
    cr_assert_null(dictionary_find(&dictionary, "w1"));
    for (int i = 0; i < 5000; i++) {
        snprintf(words[i].text, sizeof(words[i].text), "w%d", i);
        dictionary_entry_init(&words[i].entry, words[i].text);
        dictionary_add(&dictionary, &words[i].entry);
    }
    for (int i = 0; i < 5000; i += 2)
        dictionary_remove(&dictionary, &words[i].entry);
    cr_assert_eq(dictionary.count, 2500);
    for (int i = 0; i < 5000; i++)
        cr_assert_eq(dictionary_find(&dictionary, words[i].text),
                     i % 2 == 0 ? NULL : &words[i].entry);
    dictionary_fini(&dictionary);
}

Test(dictionary, does_not_add_what_is_in_if_only_what_is_new_is_to_be_added)
{
    struct word one, other;
    dictionary_entry_init(&one.entry, "w");
    dictionary_entry_init(&other.entry, "w");
    struct dictionary dictionary;
    dictionary_init(&dictionary);
    cr_assert(dictionary_add_new(&dictionary, &one.entry));
    cr_assert_not(dictionary_add_new(&dictionary, &other.entry));
    cr_assert_eq(dictionary.count, 1);
    cr_assert_eq(dictionary_find(&dictionary, "w"), &one.entry);
    dictionary_remove(&dictionary, &one.entry);
    cr_assert(dictionary_add_new(&dictionary, &other.entry));
    dictionary_fini(&dictionary);
}

/* Makes a dictionary of so many words, each with a text of its own. */
static void add_words(struct dictionary *dictionary, struct word *words, int count)
{
    dictionary_init(dictionary);
    for (int i = 0; i < count; i++) {
        snprintf(words[i].text, sizeof(words[i].text), "w%d", i);
        dictionary_entry_init(&words[i].entry, words[i].text);
        dictionary_add(dictionary, &words[i].entry);
    }
}

enum { WORDS = 200 * 1000 }; /* more than one table has */

Test(dictionary, is_gone_through_with_each_entry_once)
{
    static struct word words[WORDS];
    static int seen[WORDS];
    struct dictionary dictionary;
    struct dictionary_entry *entry;
    add_words(&dictionary, words, WORDS);
    for (uint64_t place = 0; (entry = dictionary_next(&dictionary, &place)) != NULL;)
        seen[(struct word *)entry - words]++;
    for (int i = 0; i < WORDS; i++)
        cr_assert_eq(seen[i], 1);
    dictionary_fini(&dictionary);
}

Test(dictionary, is_gone_through_while_each_entry_is_taken_out)
{
    static struct word words[WORDS];
    struct dictionary dictionary;
    struct dictionary_entry *entry;
    int taken = 0;
    add_words(&dictionary, words, WORDS);
    for (uint64_t place = 0; (entry = dictionary_next(&dictionary, &place)) != NULL; place--) {
        dictionary_remove(&dictionary, entry);
        cr_assert_null(dictionary_find(&dictionary, entry->text));
        taken++;
    }
    cr_assert_eq(taken, WORDS);
    cr_assert_eq(dictionary.count, 0);
    dictionary_fini(&dictionary);
}

Test(dictionary, finds_all_that_are_in_while_others_come_and_go)
{
    static struct word words[WORDS];
    static bool is_in[WORDS];
    struct dictionary dictionary;
    unsigned random = 1;
    add_words(&dictionary, words, WORDS);
    for (int i = 0; i < WORDS; i++)
        is_in[i] = true;
    for (int round = 0; round < 400000; round++) {
        random = random * 1103515245 + 12345;
        unsigned i = (random >> 8) % WORDS;
        if (is_in[i])
            dictionary_remove(&dictionary, &words[i].entry);
        else
            cr_assert(dictionary_add_new(&dictionary, &words[i].entry));
        is_in[i] = !is_in[i];
        for (unsigned k = i; k < i + 5; k++)
            cr_assert_eq(dictionary_find(&dictionary, words[k % WORDS].text),
                         is_in[k % WORDS] ? &words[k % WORDS].entry : NULL);
    }
    dictionary_fini(&dictionary);
}

/* Who sends keys may choose them so that they belong into one table of many. */
Test(dictionary, finds_all_that_are_in_if_they_are_chosen_to_be_alike, .timeout = 60)
{
    enum { ALIKE = 60 * 1000 };
    static struct word words[ALIKE];
    struct dictionary dictionary;
    dictionary_init(&dictionary);
    for (int i = 0, number = 0; i < ALIKE; number++) {
        snprintf(words[i].text, sizeof(words[i].text), "w%d", number);
        dictionary_entry_init(&words[i].entry, words[i].text);
        if (words[i].entry.hash >> 26 == 0)
            dictionary_add(&dictionary, &words[i++].entry);
    }
    cr_assert_eq(dictionary.count, ALIKE);
    for (int i = 0; i < ALIKE; i++)
        cr_assert_eq(dictionary_find(&dictionary, words[i].text), &words[i].entry);
    dictionary_fini(&dictionary);
}
