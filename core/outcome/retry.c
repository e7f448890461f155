#include "outcome/retry.h"

bool retry_follows(const struct task *task, const struct attempt *attempt)
{
    bool mends = attempt->verdict == VERDICT_FAILED || attempt->verdict == VERDICT_TIMED_OUT ||
                 attempt->verdict == VERDICT_CRASHED;
    if (task->suspect && attempt->verdict == VERDICT_CRASHED)
        return false; /* a host has died of it, and now this: twice is enough */
    return mends && task->retry != NULL && task->attempt < task->retry->attempts &&
           !attempt->memory_stays;
}

static int64_t longest_ns(const struct sluice_retry *policy)
{
    if (policy->max_delay_ns > 0)
        return policy->max_delay_ns;
    return policy->delay_ns > RETRY_WAIT_MOST_NS ? policy->delay_ns : RETRY_WAIT_MOST_NS;
}

/* Returns delay * factor, at most most_ns. */
static int64_t stretch(int64_t delay_ns, uint64_t factor, int64_t most_ns)
{
    int64_t product_ns;
    bool over = __builtin_mul_overflow(delay_ns, factor, &product_ns);
    return over || product_ns > most_ns ? most_ns : product_ns;
}

static int64_t full_wait_ns(const struct sluice_retry *policy, uint32_t attempt)
{
    int64_t most_ns = longest_ns(policy);
    switch ((enum sluice_backoff)policy->backoff) {
    case SLUICE_BACKOFF_CONSTANT:
        break;
    case SLUICE_BACKOFF_LINEAR:
        return stretch(policy->delay_ns, attempt, most_ns);
    case SLUICE_BACKOFF_EXPONENTIAL:
        return stretch(policy->delay_ns, UINT64_C(1) << (attempt > 63 ? 63 : attempt - 1), most_ns);
    }
    return stretch(policy->delay_ns, 1, most_ns);
}

/* splitmix64: neighbours become strangers. */
static uint64_t mix(uint64_t number)
{
    number += UINT64_C(0x9e3779b97f4a7c15);
    number = (number ^ (number >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    number = (number ^ (number >> 27)) * UINT64_C(0x94d049bb133111eb);
    return number ^ (number >> 31);
}

int64_t retry_wait_ns(const struct sluice_retry *policy, uint32_t attempt, uint64_t random)
{
    int64_t wait_ns = full_wait_ns(policy, attempt);
    double part = (double)(mix(random) >> 11) / (double)(UINT64_C(1) << 53); /* 0 to below 1 */
    int64_t off_ns = (int64_t)((double)wait_ns * policy->jitter * part);
    return off_ns < wait_ns ? wait_ns - off_ns : 0;
}
