/* Offers the graphs that the backend records to the real cuDNN, which makes plans for a device that
 * need not be there:
 *
 *     plans DEVICE.json
 *
 * prints "ok NAME" or "not ok NAME: REASON" for each graph, or "skip REASON" alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu/conv_graph.h"
#include "gpu/dnn_library.h"
#include "gpu/dnn_plan.h"

enum { DESCRIPTION_BYTES = 1 << 16 };

static DnnTarget target;

static bool describe_device(const char *path) {
    static char text[DESCRIPTION_BYTES];
    FILE *file = fopen(path, "r");
    if (!file) {
        return fail("%s cannot be read", path);
    }
    size_t n = fread(text, 1, sizeof text, file);
    fclose(file);
    cudnnStatus_t status = dnn_create(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, &target.described);
    if (status == CUDNN_STATUS_SUCCESS) {
        status = dnn_attribute(target.described, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION,
                               CUDNN_TYPE_CHAR, (int64_t)n, text);
    }
    if (status == CUDNN_STATUS_SUCCESS) {
        status = DNN(cudnnBackendFinalize)(target.described);
    }
    return dnn_ok(status, "a described device");
}

static const char *reason(DnnResult result) {
    return result == DNN_UNSUPPORTED ? "no engine takes it" : error_message();
}

/* The plan must also survive being kept as text. */
static bool survives(const DnnPlan *p) {
    DnnPlan again;
    size_t bytes;
    char *text = dnn_plan_text(p, &bytes);
    bool ok =
        text && dnn_plan_from_text(&again, &target, text, bytes) && again.workspace == p->workspace;
    if (ok) {
        dnn_plan_free(&again);
        text[bytes / 2] = text[bytes - 1] = '\0';
        ok = !dnn_plan_from_text(&again, &target, text, bytes);
    }
    free(text);
    return ok;
}

static void offer(const char *name, const DnnGraph *g, int modes) {
    DnnPlan p;
    DnnResult result = dnn_plan_make(&p, &target, g, modes, 0);
    if (result != DNN_DONE) {
        printf("not ok %s: %s\n", name, reason(result));
        error_clear();
        return;
    }
    bool kept = survives(&p);
    printf(kept ? "ok %s\n" : "not ok %s: its plan cannot be kept\n", name);
    dnn_plan_free(&p);
}

typedef struct Case {
    const char *name;
    int dims;
    int64_t n, c, o, groups, size, kernel, stride, padding, dilation;
} Case;

static const Case cases[] = {{"3x3", 2, 64, 64, 128, 1, 56, 3, 1, 1, 1},
                             {"3x3 of stride 2", 2, 64, 64, 128, 1, 56, 3, 2, 1, 1},
                             {"7x7 of colours", 2, 16, 3, 64, 1, 224, 7, 2, 3, 1},
                             {"1x1", 2, 32, 256, 64, 1, 14, 1, 1, 0, 1},
                             {"dilated", 2, 8, 32, 32, 1, 40, 3, 1, 2, 2},
                             {"groups", 2, 8, 64, 64, 4, 40, 3, 1, 1, 1},
                             {"depthwise", 2, 8, 64, 64, 64, 40, 3, 1, 1, 1},
                             {"odd channels", 2, 3, 5, 7, 1, 17, 3, 2, 5, 3},
                             {"one channel", 2, 100, 1, 6, 1, 28, 5, 1, 2, 1},
                             {"1d", 1, 16, 80, 128, 1, 300, 5, 1, 2, 1},
                             {"1d of groups", 1, 4, 12, 6, 3, 33, 4, 3, 1, 2},
                             {"3d", 3, 4, 16, 32, 1, 24, 3, 1, 1, 1},
                             {"3d, dilated groups", 3, 2, 16, 16, 4, 12, 3, 1, 2, 2}};

static ConvShape shape_of(const Case *c) {
    ConvShape s = {.dims = c->dims, .n = c->n, .c = c->c, .o = c->o, .groups = c->groups};
    for (int d = 0; d < IMAGE_DIMS; d++) {
        bool own = d >= IMAGE_DIMS - c->dims;
        s.in[d] = own ? c->size : 1;
        s.kernel[d] = own ? c->kernel : 1;
        s.stride[d] = own ? c->stride : 1;
        s.padding[d] = own ? c->padding : 0;
        s.dilation[d] = own ? c->dilation : 1;
        int64_t reach = s.dilation[d] * (s.kernel[d] - 1) + 1;
        s.out[d] = (s.in[d] + 2 * s.padding[d] - reach) / s.stride[d] + 1;
    }
    return s;
}

static void offer_case(const Case *c, int dtype, int modes) {
    static const char *const kinds[] = {"forward", "input's gradient", "weight's gradient"};
    static DnnGraph g;
    ConvShape s = shape_of(c);
    for (int kind = DNN_FORWARD; kind <= DNN_WEIGHT_GRAD; kind++) {
        for (int biased = 0; biased <= (kind == DNN_FORWARD); biased++) {
            char name[200];
            snprintf(name, sizeof name, "%s %s, %s%s%s%s", dtype_name(dtype), c->name, kinds[kind],
                     biased ? " with bias" : "", modes & DNN_TF32 ? ", TF32" : "",
                     modes & DNN_NONDETERMINISTIC ? ", any engine" : "");
            ConvGraph t = {.kind = (DnnConv)kind,
                           .dtype = dtype,
                           .channels_last = conv_channels_last(dtype, modes),
                           .biased = biased};
            conv_graph(&g, &t, &s, s.n);
            offer(name, &g, modes);
        }
    }
}

int main(int argc, char **argv) {
    static const int dtypes[] = {DT_FLOAT16, DT_BFLOAT16, DT_FLOAT32, DT_FLOAT64};
    if (argc != 2) {
        fprintf(stderr, "usage: plans DEVICE.json\n");
        return 2;
    }
    if (!dnn_library_open()) {
        printf("skip %s\n", error_message());
        return 0;
    }
    if (!describe_device(argv[1])) {
        bool old = DNN(cudnnGetVersion)() < CUDNN_VERSION; /* than what this was compiled for */
        printf(old ? "skip an old version: %s\n" : "not ok device: %s\n", error_message());
        return 0;
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t d = 0; d < sizeof dtypes / sizeof *dtypes; d++) {
            offer_case(&cases[i], dtypes[d], 0);
        }
        offer_case(&cases[i], DT_FLOAT32, DNN_TF32);
        offer_case(&cases[i], DT_BFLOAT16, DNN_NONDETERMINISTIC);
    }
    return 0;
}
