/* sluice/plugin.hpp - a thin C++ side of plugin.h: exceptions never cross the border (R4).
 *     static enum sluice_status resize(const sluice_call *call, const resize_params *params);
 *     { SLUICE_TYPE("resize", "..."), ..., .execute = sluice::guarded<resize> },
 * Header only; used on worker threads; owns nothing. */
#pragma once

#include <sluice/plugin.h>

#include <exception>
#include <new>

namespace sluice {

/* [worker] runs the body; an exception out of it becomes a failure with code "exception" (retried
 * if the policy says so) and the exception's text, want of memory one with "out_of_memory". */
template <class Params>
enum sluice_status run_guarded(enum sluice_status (*body)(const sluice_call *, const Params *),
                               const sluice_call *call, const void *params) noexcept
{
    try {
        return body(call, static_cast<const Params *>(params));
    } catch (const std::bad_alloc &) {
        return sluice_fail(call, "out_of_memory", "out of memory");
    } catch (const std::exception &error) {
        return sluice_fail(call, "exception", "%s", error.what());
    } catch (...) {
        return sluice_fail(call, "exception", "an exception that is not a std::exception");
    }
}

/* [worker] an execute for a body that takes its parameters by their own type and may throw. */
template <auto Body>
enum sluice_status guarded(const sluice_call *call, const void *params) noexcept
{
    return run_guarded(Body, call, params);
}

} // namespace sluice
