#include "gpu/dnn_library.h"

#include <stdatomic.h>

#include "gpu/dnn.h"
#include "gpu/library.h"

void (*dnn_found[N_DNN_FUNCTIONS])(void);
void (*dnn_rnn_found[N_DNN_RNN_FUNCTIONS])(void);

#define DNN_NAME(function) #function,
static const char *const names[] = {DNN_FUNCTIONS(DNN_NAME) NULL};
static const char *const rnn_names[] = {DNN_RNN_FUNCTIONS(DNN_NAME) NULL};
#undef DNN_NAME
static const char *const files[] = {"libcudnn.so.9", "libcudnn.so", NULL};

static const GpuLibrary library = {"cuDNN", files, names, dnn_found};

bool dnn_is_there(void) {
    static atomic_int known; /* 1: it is, -1: it is not */
    if (!known) {
        known = gpu_library_there(&library) ? 1 : -1;
    }
    return known > 0;
}

bool dnn_library_open(void) {
    static bool opened;
    opened = opened || gpu_library_open(&library);
    return opened;
}

bool dnn_library_has_rnn(void) {
    static const GpuLibrary rnn = {"cuDNN", files, rnn_names, dnn_rnn_found};
    static int known; /* 1: it has, -1: it has not */
    if (!known) {
        known = gpu_library_open(&rnn) ? 1 : -1;
        if (known < 0) {
            error_clear();
        }
    }
    return known > 0;
}

bool dnn_fail(cudnnStatus_t status, const char *what) {
    char reason[256] = "";
    DNN(cudnnGetLastErrorString)(reason, sizeof reason);
    return fail("cuDNN: %s: %s%s%s", what, DNN(cudnnGetErrorString)(status), reason[0] ? ": " : "",
                reason);
}

bool dnn_ok(cudnnStatus_t status, const char *what) {
    return status == CUDNN_STATUS_SUCCESS || dnn_fail(status, what);
}
