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
        words[i].entry.text = words[i].text;
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
    struct word one = {.entry.text = "w"}, other = {.entry.text = "w"};
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
