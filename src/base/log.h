#ifndef TOCHA_BASE_LOG_H
#define TOCHA_BASE_LOG_H

/* Writes one line to standard error, with the prefix "tocha: " and a final newline. */
void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Receives the message without prefix and newline. */
typedef void WarnHook(const char *message);

/* Sends warnings to hook instead, or to standard error again if hook is NULL. Returns the hook
 * before. */
WarnHook *warn_set_hook(WarnHook *hook);

#endif
