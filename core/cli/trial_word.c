#include "cli/trial_word.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "support/child.h"
#include "support/clock.h"

void trial_say(const struct trial_word *word)
{
    send(CHILD_FIRST_FD, word, sizeof(*word), MSG_NOSIGNAL);
}

void trial_step(const char *check, int64_t limit_ns, const char *text)
{
    struct trial_word word = {.kind = TRIAL_STEP, .limit_ms = (uint32_t)(limit_ns / NS_PER_MS)};

    snprintf(word.check, sizeof(word.check), "%s", check);
    snprintf(word.text, sizeof(word.text), "%s", text);
    trial_say(&word);
}

void trial_found(const struct finding *finding)
{
    struct trial_word word = {
        .kind = TRIAL_FINDING, .result = (uint8_t)finding->result, .rule = (uint8_t)finding->rule};

    snprintf(word.check, sizeof(word.check), "%s", finding->check);
    snprintf(word.text, sizeof(word.text), "%s", finding->text);
    trial_say(&word);
}

bool trial_hear(int fd, struct trial_word *word)
{
    if (recv(fd, word, sizeof(*word), 0) != (ssize_t)sizeof(*word))
        return false;
    word->check[sizeof(word->check) - 1] = '\0';
    word->text[sizeof(word->text) - 1] = '\0';
    return word->kind <= TRIAL_OVER && word->result < FINDING_COUNT &&
           word->rule <= FINDINGS_RULE_MOST;
}
