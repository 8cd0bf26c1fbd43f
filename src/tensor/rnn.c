/* The kinds of recurrent layers by name. */
#include "tensor/rnn.h"

#include <string.h>

#include "base/error.h"

RnnMode rnn_mode(const char *op, const char *name) {
    static const char *const names[] = {"tanh", "relu", "lstm", "gru"};
    for (int i = 0; i < RNN_BAD; i++) {
        if (strcmp(name, names[i]) == 0) {
            return (RnnMode)i;
        }
    }
    fail("%s: mode must be \"tanh\", \"relu\", \"lstm\" or \"gru\", got \"%s\"", op, name);
    return RNN_BAD;
}
