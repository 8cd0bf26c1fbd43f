#ifndef TOCHA_CTC_H
#define TOCHA_CTC_H
/* What is said about wrong arguments of ctc_loss that only their values show. */
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    CTC_LENGTH, /* value, at place of param, is not in [0, size] */
    CTC_TOTAL,  /* the lengths of the targets add up to value, not to size */
    CTC_LABEL   /* value, in sequence place, is not in [1, size] */
} CtcWrong;

enum { CTC_TEXT_MAX = 256 };
/* The sentence, about a call of name; place counts from 0. */
void ctc_text(char text[CTC_TEXT_MAX], const char *name, CtcWrong wrong, const char *param,
              int64_t value, int64_t size, int64_t place);

#ifdef __cplusplus
}
#endif
#endif
