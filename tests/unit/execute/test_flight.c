#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "execute/flight.h"
#include "support/clock.h"

static char folder[] = "/tmp/sluice-flight-XXXXXX";
static char path[64], new_path[80];
static struct flight *flight;
static struct flight_found found;

static void set_up(void)
{
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/flight", folder);
    snprintf(new_path, sizeof(new_path), "%s.new", path);
}

static void tear_down(void)
{
    flight_destroy(&flight);
    flight_found_fini(&found);
    unlink(path);
    unlink(new_path);
    rmdir(folder);
}

TestSuite(flight, .init = set_up, .fini = tear_down);

static void begin(uint64_t epoch, uint32_t slots)
{
    struct error error;
    flight = flight_create(path, epoch, slots, &error);
    cr_assert_not_null(flight, "%s", error.message);
    cr_assert(flight_replace(flight, &error), "%s", error.message);
}

/* The host dies: the file stays as it is. */
static void die(void)
{
    flight_destroy(&flight);
}

static struct flight_slot *hold(uint64_t job, uint32_t number, uint32_t attempt)
{
    struct flight_slot *slot = flight_take(flight);
    cr_assert_not_null(slot);
    flight_begin(slot, job);
    flight_write(slot, (uint64_t)number << 32 | attempt, clock_now_ns());
    return slot;
}

/* Reads for the host of an epoch; returns the code of the error, or "". */
static const char *read_as(uint64_t epoch)
{
    struct error error;
    flight_found_fini(&found);
    return flight_read(path, epoch, &found, &error) ? "" : error.code;
}

static void write_at(off_t at, const void *bytes, size_t length)
{
    int fd = open(path, O_WRONLY);
    cr_assert(fd >= 0 && pwrite(fd, bytes, length, at) == (ssize_t)length);
    close(fd);
}

Test(flight, the_next_host_reads_what_was_in_hand)
{
    begin(4, 3);
    struct flight_slot *over = hold(7, 0, 1);
    hold(9, 255, 2);
    flight_clear(over);
    die();
    cr_assert_str_eq(read_as(5), "");
    cr_assert_eq(found.count, 1);
    cr_assert_eq(found.tasks[0].job, 9);
    cr_assert_eq(found.tasks[0].number, 255);
    cr_assert_eq(found.tasks[0].attempt, 2);
    int64_t ago_ns = clock_wall_ns() - found.tasks[0].started_wall_ns;
    cr_assert(ago_ns >= -NS_PER_S && ago_ns < 60 * NS_PER_S, "%lld", (long long)ago_ns);
}

Test(flight, what_ran_in_a_worker_process_is_known_as_that_until_the_next_batch)
{
    begin(4, 3);
    struct flight_slot *apart = hold(7, 0, 1), *again = hold(8, 0, 1);
    flight_write_apart(apart, 1, clock_now_ns());
    flight_write_apart(again, 1, clock_now_ns());
    flight_begin(again, 8);
    flight_write(again, 2, clock_now_ns());
    die();
    cr_assert_str_eq(read_as(5), "");
    cr_assert_eq(found.count, 2);
    cr_assert_eq(found.tasks[0].is_apart, found.tasks[0].job == 7);
    cr_assert_eq(found.tasks[1].is_apart, found.tasks[1].job == 7);
}

Test(flight, no_file_is_nothing_in_hand)
{
    cr_assert_str_eq(read_as(1), "");
    cr_assert_eq(found.count, 0);
}

Test(flight, the_old_file_is_there_until_it_is_replaced)
{
    struct error error;
    begin(1, 2);
    hold(3, 0, 1);
    die();
    flight = flight_create(path, 2, 2, &error); /* and dies before it has replaced it */
    cr_assert_not_null(flight);
    die();
    cr_assert_str_eq(read_as(3), "");
    cr_assert_eq(found.count, 1);
    begin(3, 2);
    die();
    cr_assert_str_eq(read_as(4), "");
    cr_assert_eq(found.count, 0);
    cr_assert(access(new_path, F_OK) != 0);
}

Test(flight, a_file_of_no_earlier_host_is_refused)
{
    begin(4, 2);
    hold(1, 1, 1);
    die();
    cr_assert_str_eq(read_as(4), "flight_foreign");
    cr_assert_str_eq(read_as(1), "flight_foreign");
    cr_assert_eq(found.count, 0);
}

Test(flight, what_is_damaged_is_refused_as_a_whole)
{
    static const uint32_t two = 2, many = 1u << 31;
    static const uint64_t none = 0;
    begin(1, 4);
    hold(1, 1, 1);
    hold(2, 2, 2);
    die();
    write_at(64 + 64, &none, sizeof(none)); /* the job of the second slot */
    cr_assert_str_eq(read_as(2), "flight_damaged");
    cr_assert_eq(found.count, 0);
    write_at(16, &many, sizeof(many)); /* the count of slots */
    cr_assert_str_eq(read_as(2), "flight_damaged");
    write_at(8, &two, sizeof(two));
    cr_assert_str_eq(read_as(2), "flight_version");
    write_at(0, "?", 1);
    cr_assert_str_eq(read_as(2), "flight_damaged");
    cr_assert_eq(truncate(path, 63), 0);
    cr_assert_str_eq(read_as(2), "flight_damaged");
    cr_assert_eq(truncate(path, 0), 0);
    cr_assert_str_eq(read_as(2), "flight_damaged");
}

Test(flight, what_is_no_file_is_refused)
{
    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_assert_str_eq(read_as(2), "flight_damaged");
    unlink(path);
    cr_assert_eq(symlink("/etc/passwd", path), 0);
    cr_assert_str_eq(read_as(2), "flight_read");
}

Test(flight, workers_beyond_the_slots_are_counted)
{
    begin(1, 2);
    struct flight_slot *one = hold(1, 1, 1), *other = hold(2, 2, 2);
    cr_assert_neq(one, other);
    cr_assert_null(flight_take(flight));
    cr_assert_null(flight_take(flight));
    cr_assert_eq(flight_unrecorded(flight), 2);
    flight_give_back(flight, one);
    cr_assert_eq(flight_take(flight), one);
    cr_assert_null(flight_take(flight));
    die();
    cr_assert_str_eq(read_as(2), "");
    cr_assert_eq(found.count, 1); /* the one that was given back is empty */
    cr_assert_eq(found.tasks[0].job, 2);
}

Test(flight, the_file_is_allocated_and_for_its_owner_alone)
{
    struct stat facts;
    begin(1, FLIGHT_SLOTS);
    cr_assert_eq(stat(path, &facts), 0);
    cr_assert_eq(facts.st_mode & 07777, 0600);
    cr_assert_geq(facts.st_blocks * 512, facts.st_size);
}

Test(flight, a_folder_that_is_not_there_is_an_error)
{
    struct error error;
    cr_assert_null(flight_create("/nowhere/flight", 1, 2, &error));
    cr_assert_str_eq(error.code, "flight_create");
}
