/* limit: how much there may be of something that a user can size. A build for a fuzzer has smaller
 * limits, which its small inputs reach in no time; all else is the same. No state, no threads. */
#pragma once

#ifdef LIMITS_FUZZED
#define LIMIT(usual, fuzzed) (fuzzed)
#else
#define LIMIT(usual, fuzzed) (usual)
#endif
