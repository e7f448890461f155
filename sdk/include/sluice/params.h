/* sluice/params.h - the rows of parameter tables and type tables.
 * Macros only; they make constants of types.h. The first argument of a row is the parameter struct,
 * the second its field; what follows are members of struct sluice_param by name, in this order:
 *     .required .secret .def .choices .min .max .float_min .float_max .help .one_of
 *     .min_items
 * A field whose C type does not fit the row does not compile. */
#pragma once

#include <sluice/types.h>

#define SLUICE_BOOL(S, field, ...)     SLUICE_NAMED(BOOL, #field, S, field, __VA_ARGS__)
#define SLUICE_INT(S, field, ...)      SLUICE_NAMED(INT, #field, S, field, __VA_ARGS__)
#define SLUICE_FLOAT(S, field, ...)    SLUICE_NAMED(FLOAT, #field, S, field, __VA_ARGS__)
#define SLUICE_STRING(S, field, ...)   SLUICE_NAMED(STRING, #field, S, field, __VA_ARGS__)
#define SLUICE_DURATION(S, field, ...) SLUICE_NAMED(DURATION, #field, S, field, __VA_ARGS__)
#define SLUICE_SIZE(S, field, ...)     SLUICE_NAMED(SIZE, #field, S, field, __VA_ARGS__)
#define SLUICE_ENUM(S, field, ...)     SLUICE_NAMED(ENUM, #field, S, field, __VA_ARGS__)
#define SLUICE_LIST(S, field, ...)     SLUICE_NAMED(LIST, #field, S, field, __VA_ARGS__)
#define SLUICE_MAP(S, field, ...)      SLUICE_NAMED(MAP, #field, S, field, __VA_ARGS__)
#define SLUICE_ANY(S, field, ...)      SLUICE_NAMED(ANY, #field, S, field, __VA_ARGS__)

/* A row whose parameter is not named like its field, for names that C keeps for itself:
 *     SLUICE_NAMED(DURATION, "for", struct sleep_params, duration, .required = true)          */
#define SLUICE_NAMED(KIND, text, S, field, ...)                                                    \
    {                                                                                              \
        .size = sizeof(struct sluice_param), .kind = SLUICE_KIND_##KIND, .name = text,             \
        .offset = offsetof(S, field),                                                              \
        .field_size = SLUICE_FIELD_SIZE(SLUICE_CTYPE_##KIND, S, field), __VA_ARGS__                \
    }

#define SLUICE_PARAMS_END                                                                          \
    {                                                                                              \
        .size = sizeof(struct sluice_param), .name = NULL                                          \
    }

/* Opens an element of the type table; .params, .params_size, .flags, .execute and so on follow. */
#define SLUICE_TYPE(type_name, type_help)                                                          \
    .size = sizeof(struct sluice_type), .name = type_name, .help = type_help

#define SLUICE_TYPES_END                                                                           \
    {                                                                                              \
        .size = sizeof(struct sluice_type), .name = NULL                                           \
    }

#define SLUICE_CTYPE_BOOL     bool
#define SLUICE_CTYPE_INT      int64_t
#define SLUICE_CTYPE_FLOAT    double
#define SLUICE_CTYPE_STRING   const char *
#define SLUICE_CTYPE_DURATION int64_t
#define SLUICE_CTYPE_SIZE     uint64_t
#define SLUICE_CTYPE_ENUM     int
#define SLUICE_CTYPE_LIST     struct sluice_list
#define SLUICE_CTYPE_MAP      struct sluice_map
#define SLUICE_CTYPE_ANY      const char *

/* The size of the field, and a compile error when its type is not the one of the row. */
#ifdef __cplusplus
template <class Wanted, class Field> struct sluice_the_field_has_another_type;
template <class Same> struct sluice_the_field_has_another_type<Same, Same> {
    static constexpr uint32_t size = sizeof(Same);
};
#define SLUICE_FIELD_SIZE(ctype, S, field)                                                         \
    sluice_the_field_has_another_type<ctype, decltype(static_cast<S *>(nullptr)->field)>::size
/* C++ compilers take the members that a row leaves out for forgotten ones. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#else
#define SLUICE_FIELD_SIZE(ctype, S, field) _Generic(&((S *)0)->field, ctype * : sizeof(ctype))
#endif
