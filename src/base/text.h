#ifndef TOCHA_BASE_TEXT_H
#define TOCHA_BASE_TEXT_H

/* Short texts for error messages, kept out of the thread-local block, which has to stay small
 * (base/tls.h). */

enum { TEXT_MAX = 256, TEXT_LIVE = 16 };

/* A buffer of TEXT_MAX bytes of the calling thread's own, which stays as it is until the thread has
 * asked TEXT_LIVE more times. Never NULL: without memory the texts overwrite each other. */
char *text_buffer(void);

#endif
