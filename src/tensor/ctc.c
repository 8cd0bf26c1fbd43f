#include "tensor/ctc.h"

#include <stdio.h>

void ctc_text(char text[CTC_TEXT_MAX], const char *name, CtcWrong wrong, const char *param,
              int64_t value, int64_t size, int64_t place) {
    switch (wrong) {
    case CTC_LENGTH:
        snprintf(text, CTC_TEXT_MAX, "%s: %s must be in [0, %lld], got %lld at position %lld", name,
                 param, (long long)size, (long long)value, (long long)place + 1);
        return;
    case CTC_TOTAL:
        snprintf(text, CTC_TEXT_MAX,
                 "%s: target_lengths add up to %lld, but targets hold %lld labels", name,
                 (long long)value, (long long)size);
        return;
    case CTC_LABEL:
        snprintf(text, CTC_TEXT_MAX,
                 "%s: targets must hold class labels from 1 to %lld%s, got %lld in sequence %lld",
                 name, (long long)size, value == 0 ? " (they count from 1)" : "", (long long)value,
                 (long long)place + 1);
        return;
    }
}
