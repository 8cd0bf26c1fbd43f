#ifndef TOCHA_BASE_ERROR_H
#define TOCHA_BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Poison errors: a function that fails records the first error of its thread and returns NULL or
 * false; functions that are handed the NULL pass it on. Later errors are consequences of the first
 * and are dropped until error_clear().
 */

#ifdef __cplusplus
extern "C" {
#endif

enum { ERROR_MESSAGE_MAX = 2047 };

/* ERR_RAISED: code that the language binding called has raised a value of its own, which the
 * binding keeps. ERR_DEVICE: the error of an earlier op, found by its device meanwhile; the message
 * names that op. */
typedef enum { ERR_NONE, ERR_GENERIC, ERR_MEMORY, ERR_INTERRUPT, ERR_RAISED, ERR_DEVICE } ErrorKind;

/* Records an error unless the thread has one already. ERR_NONE is taken as ERR_GENERIC. */
void error_record(ErrorKind kind, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* fail(fmt, ...) records an error and is always false; a macro, so that the compiler knows. */
#define fail(...) fail_kind(ERR_GENERIC, __VA_ARGS__)
#define fail_kind(kind, ...)             \
    __extension__({                      \
        error_record(kind, __VA_ARGS__); \
        (bool)false;                     \
    })

#define fail_null(...)                          \
    __extension__({                             \
        error_record(ERR_GENERIC, __VA_ARGS__); \
        NULL;                                   \
    })

/* The thread's error, or NULL; it stays valid until the thread clears it or ends. */
const char *error_message(void);

ErrorKind error_kind(void);

/* Replaces the first skip bytes of the thread's error by "name: ". Without an error nothing
 * happens. */
void error_put_name(const char *name, size_t skip);

void error_clear(void);

#ifdef __cplusplus
}
#endif

#endif
