#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "accept/job_file/yaml_map.h"
#include "accept/job_file/yaml_source.h"

/* A source over a text, at the root node of its document. */
struct opened {
    struct diagnostics diagnostics;
    struct job_faults faults;
    struct job_input input;
    struct yaml_source *source;
    int fd;
};

static void open_text(struct opened *opened, const char *text)
{
    opened->fd = memfd_create("yaml", 0);
    cr_assert(eq(long, write(opened->fd, text, strlen(text)), (long)strlen(text)));
    diagnostics_init(&opened->diagnostics, "text");
    opened->faults = (struct job_faults){&opened->diagnostics, 0};
    job_input_init(&opened->input, opened->fd, 0);
    opened->source = yaml_source_create(&opened->input, &opened->faults);
    yaml_source_begin(opened->source);
}

static void close_text(struct opened *opened)
{
    yaml_source_destroy(&opened->source);
    job_input_fini(&opened->input);
    diagnostics_fini(&opened->diagnostics);
    close(opened->fd);
}

/* Writes the nodes that come: scalars as they are, lists and maps in brackets, errors as '!'. */
static const char *shown(struct opened *opened)
{
    static char text[4096];
    struct yaml_node node;
    size_t length = 0;
    int depth = 0;
    do {
        if (!yaml_source_next(opened->source, &node)) {
            snprintf(text + length, sizeof text - length, "!");
            return text;
        }
        const char *words[] = {node.text, "[", "{", ")", "WRONG", "ALIAS"};
        depth += node.kind == YAML_KIND_LIST || node.kind == YAML_KIND_MAP;
        depth -= node.kind == YAML_KIND_END;
        length += (size_t)snprintf(text + length, sizeof text - length, "%s ", words[node.kind]);
    } while (depth > 0);
    return text;
}

static const char *first_error(const struct opened *opened)
{
    return opened->diagnostics.kept_count > 0 ? opened->diagnostics.kept[0].message : "none";
}

/* Reads the root map by its keys; every value has to be a scalar. */
static const char *keys_shown(struct opened *opened)
{
    static char text[4096];
    struct yaml_node node;
    size_t length = 0;
    yaml_source_next(opened->source, &node);
    YAML_MAP_NEW(map);
    while (yaml_map_key(opened->source, &map, &node)) {
        length += (size_t)snprintf(text + length, sizeof text - length,
                                   "%s%s=", node.merged ? "+" : "", node.text);
        if (yaml_source_next(opened->source, &node))
            length += (size_t)snprintf(text + length, sizeof text - length, "%s ", node.text);
        yaml_source_skip(opened->source, &node);
    }
    return text;
}

Test(yaml_source, gives_the_nodes_of_a_document_in_order)
{
    struct opened opened;
    open_text(&opened, "a: 1\nb: [x, 'y z']\nc: {d: \"\"}\n");
    cr_assert(eq(str, (char *)shown(&opened), "{ a 1 b [ x y z ) c { d  ) ) "));
    yaml_source_end(opened.source);
    cr_assert(not(yaml_source_begin(opened.source)));
    cr_assert(yaml_source_over(opened.source));
    cr_assert(eq(sz, opened.faults.count, 0));
    close_text(&opened);
}

Test(yaml_source, a_document_can_be_left_anywhere_and_the_next_one_begins_afresh)
{
    struct opened opened;
    struct yaml_node node;
    open_text(&opened, "a: &a [1, {b: 2}]\nc: 3\n--- # \u00e9\n[*a, 4]\n");
    for (int i = 0; i < 4; i++)
        cr_assert(yaml_source_next(opened.source, &node));
    yaml_source_end(opened.source);
    cr_assert(yaml_source_begin(opened.source));
    cr_assert(eq(str, (char *)shown(&opened), "[ WRONG 4 ) "));
    cr_assert(eq(str, (char *)first_error(&opened), "no anchor '&a' stands before this alias"));
    close_text(&opened);
}

Test(yaml_source, what_breaks_a_document_does_not_break_the_next_one)
{
    struct opened opened;
    open_text(&opened,
              "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n--- y\n");
    shown(&opened);
    cr_assert(yaml_source_broken(opened.source));
    cr_assert(not(yaml_source_over(opened.source)));
    yaml_source_end(opened.source);
    cr_assert(yaml_source_begin(opened.source));
    cr_assert(eq(str, (char *)shown(&opened), "y "));
    close_text(&opened);
}

Test(yaml_source, knows_where_each_document_stands)
{
    struct opened opened;
    open_text(&opened, "# \u00fc\na: \u00f6\n...\n# -\n---\nb: 1\n---\n");
    yaml_source_end(opened.source);
    struct yaml_span span = yaml_source_span(opened.source);
    cr_assert(eq(u32, span.behind, 12));
    cr_assert(yaml_source_begin(opened.source));
    yaml_source_end(opened.source);
    span = yaml_source_span(opened.source);
    cr_assert(eq(u32, span.first, 17));
    cr_assert(eq(u32, span.place.line, 5));
    cr_assert(eq(u32, span.behind, 26));
    close_text(&opened);
}

Test(yaml_source, an_alias_is_replaced_by_what_has_its_anchor)
{
    struct opened opened;
    open_text(&opened, "- &a {k: [1, 2]}\n- *a\n- &b x\n- [*b, *a]\n");
    cr_assert(
        eq(str, (char *)shown(&opened), "[ { k [ 1 2 ) ) { k [ 1 2 ) ) x [ x { k [ 1 2 ) ) ) ) "));
    close_text(&opened);
}

Test(yaml_source, an_anchor_inside_an_anchor_is_recorded_as_well)
{
    struct opened opened;
    open_text(&opened, "- &a {k: &b [1, &c 2]}\n- *b\n- *c\n- *a\n");
    cr_assert(eq(str, (char *)shown(&opened), "[ { k [ 1 2 ) ) [ 1 2 ) 2 { k [ 1 2 ) ) ) "));
    close_text(&opened);
}

Test(yaml_source, a_later_anchor_of_the_same_name_wins_from_there)
{
    struct opened opened;
    open_text(&opened, "- &a 1\n- *a\n- &a 2\n- *a\n");
    cr_assert(eq(str, (char *)shown(&opened), "[ 1 1 2 2 ) "));
    close_text(&opened);
}

Test(yaml_source, an_alias_in_a_recorded_part_keeps_its_meaning)
{
    struct opened opened;
    open_text(&opened, "- &a 1\n- &b [*a]\n- &a 2\n- *b\n");
    cr_assert(eq(str, (char *)shown(&opened), "[ 1 [ 1 ) 2 [ 1 ) ) "));
    close_text(&opened);
}

Test(yaml_source, an_alias_without_or_inside_its_anchor_is_reported_and_reading_goes_on)
{
    struct opened opened;
    open_text(&opened, "- *no\n- &a [*a]\n- x\n");
    cr_assert(eq(str, (char *)shown(&opened), "[ WRONG [ WRONG ) x ) "));
    cr_assert(eq(sz, opened.faults.count, 2));
    close_text(&opened);
}

Test(yaml_source, places_count_characters_and_cover_the_text)
{
    struct opened opened;
    struct yaml_node node;
    open_text(&opened, "- ä\n- {ü: \"x y\"}\n");
    yaml_source_next(opened.source, &node);
    yaml_source_next(opened.source, &node);
    cr_assert(eq(u32, node.place.line, 1));
    cr_assert(eq(u32, node.place.column, 3));
    cr_assert(eq(u32, node.place.width, 1));
    yaml_source_next(opened.source, &node);
    yaml_source_next(opened.source, &node);
    yaml_source_next(opened.source, &node);
    cr_assert(eq(u32, node.place.line, 2));
    cr_assert(eq(u32, node.place.column, 7));
    cr_assert(eq(u32, node.place.width, 5));
    cr_assert(not(node.plain));
    close_text(&opened);
}

Test(yaml_source, a_byte_order_mark_moves_no_column)
{
    struct opened opened;
    struct yaml_node node;
    open_text(&opened, "\xef\xbb\xbfname\n");
    cr_assert(yaml_source_next(opened.source, &node));
    cr_assert(eq(str, (char *)node.text, "name"));
    cr_assert(eq(u32, node.place.column, 1));
    close_text(&opened);
}

Test(yaml_source, own_keys_come_before_merged_ones_wherever_the_merge_stands)
{
    struct opened opened;
    open_text(&opened, "x: &a {p: 1, q: 2}\n<<: *a\nq: 3\n");
    cr_assert(eq(str, (char *)keys_shown(&opened), "x=(null) q=3 +p=1 +q=2 "));
    close_text(&opened);
}

Test(yaml_source, the_first_of_several_merged_maps_comes_first_and_brings_its_own_merges)
{
    struct opened opened;
    open_text(&opened, "a: &a {k: 1}\nb: &b {<<: *a, l: 2}\nc: &c {k: 3}\n<<: [*b, {m: 4}, *c]\n");
    cr_assert(
        eq(str, (char *)keys_shown(&opened), "a=(null) b=(null) c=(null) +l=2 +k=1 +m=4 +k=3 "));
    cr_assert(eq(sz, opened.faults.count, 0));
    close_text(&opened);
}

Test(yaml_source, a_quoted_merge_key_is_a_key_like_any_other)
{
    struct opened opened;
    open_text(&opened, "'<<': x\n");
    cr_assert(eq(str, (char *)keys_shown(&opened), "<<=x "));
    close_text(&opened);
}

Test(yaml_source, what_is_put_aside_comes_again_when_it_is_replayed)
{
    struct opened opened;
    struct yaml_node node;
    struct yaml_aside aside;
    open_text(&opened, "- {k: [1, 2]}\n- x\n- y\n");
    yaml_source_next(opened.source, &node);
    struct yaml_tape_mark mark = yaml_source_mark(opened.source);
    cr_assert(yaml_source_record(opened.source, &aside));
    yaml_source_next(opened.source, &node);
    cr_assert(eq(str, (char *)node.text, "x"));
    yaml_source_replay(opened.source, aside);
    cr_assert(eq(str, (char *)shown(&opened), "{ k [ 1 2 ) ) "));
    yaml_source_forget(opened.source, mark);
    yaml_source_next(opened.source, &node);
    cr_assert(eq(str, (char *)node.text, "y"));
    close_text(&opened);
}

Test(yaml_source, thirty_two_levels_are_read_and_one_more_breaks_it)
{
    struct opened opened;
    char text[128] = "";
    memset(text, '[', 32);
    memset(text + 32, ']', 32);
    open_text(&opened, text);
    shown(&opened);
    cr_assert(not(yaml_source_broken(opened.source)));
    close_text(&opened);

    memset(text, '[', 33);
    memset(text + 33, ']', 33);
    open_text(&opened, text);
    shown(&opened);
    cr_assert(yaml_source_broken(opened.source));
    cr_assert(
        eq(str, (char *)first_error(&opened), "lists and maps are nested deeper than 32 levels"));
    close_text(&opened);
}

Test(yaml_source, aliases_cannot_nest_deeper_than_what_is_written)
{
    struct opened opened;
    char text[2048] = "- &a0 [x]\n";
    for (int i = 1; i < 40; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "- &a%d [*a%d]\n", i, i - 1);
    open_text(&opened, text);
    shown(&opened);
    cr_assert(yaml_source_broken(opened.source));
    cr_assert(
        eq(str, (char *)first_error(&opened), "lists and maps are nested deeper than 32 levels"));
    close_text(&opened);
}

Test(yaml_source, two_hundred_thousand_brackets_end_at_once)
{
    struct opened opened;
    char *text = calloc(1, 200001);
    memset(text, '[', 200000);
    open_text(&opened, text);
    shown(&opened);
    cr_assert(yaml_source_broken(opened.source));
    close_text(&opened);
    free(text);
}

Test(yaml_source, surrogate_pairs_are_one_character_where_escapes_are_and_stay_as_written_elsewhere)
{
    struct opened opened;
    open_text(&opened,
              "- \"\\ud83d\\ude00!\"\n- '\\uD83D\\uDE00'\n- \"\\\\ud83d\"\n- \\ud83d\\ude00\n");
    cr_assert(eq(str, (char *)shown(&opened),
                 "[ \xf0\x9f\x98\x80! \\uD83D\\uDE00 \\ud83d \\ud83d\\ude00 ) "));
    cr_assert(eq(sz, opened.faults.count, 0), "%s", first_error(&opened));
    close_text(&opened);
}

Test(yaml_source, surrogate_pairs_move_no_column)
{
    struct opened opened;
    struct yaml_node node;
    open_text(&opened, "[\"\\ud83d\\ude00\", x]\n");
    for (int i = 0; i < 3; i++)
        yaml_source_next(opened.source, &node);
    cr_assert(eq(str, (char *)node.text, "x"));
    cr_assert(eq(u32, node.place.column, 18));
    close_text(&opened);
}

/* How many keys a map has, those of the maps in it included, with all that is merged. */
static int count_keys(struct opened *opened)
{
    struct yaml_node node;
    int count = 0;
    YAML_MAP_NEW(map);
    while (yaml_map_key(opened->source, &map, &node)) {
        count++;
        if (yaml_source_next(opened->source, &node) && node.kind == YAML_KIND_MAP)
            count += count_keys(opened);
    }
    return count;
}

Test(yaml_source, a_map_may_merge_thirty_two_maps_at_several_levels)
{
    struct opened opened;
    struct yaml_node node;
    char text[4096] = "a: &a {k: 1}\n";
    for (int level = 0; level < 8; level++) {
        size_t length = strlen(text);
        length += (size_t)snprintf(text + length, sizeof text - length, "%c: &%c {v: {<<: [",
                                   'b' + level, 'b' + level);
        for (int i = 0; i < 31; i++)
            length += (size_t)snprintf(text + length, sizeof text - length, "*a, ");
        snprintf(text + length, sizeof text - length, "*%c]}}\n", 'a' + level);
    }
    open_text(&opened, text);
    yaml_source_next(opened.source, &node);
    int keys = count_keys(&opened);
    cr_assert(eq(sz, opened.faults.count, 0), "%s", first_error(&opened));
    /* a has 2 keys, b 2 + 32; each further one 2 and 31 and those of the one before but its name */
    int level_keys = 34, wanted = 2 + level_keys;
    for (int level = 1; level < 8; level++)
        wanted += level_keys = 2 + 31 + level_keys - 1;
    cr_assert(eq(int, keys, wanted));
    close_text(&opened);
}
