/* Offers the graphs that the backend records to the real cuDNN, which makes plans for a device that
 * need not be there:
 *
 *     plans DEVICE.json
 *
 * prints "ok NAME" or "not ok NAME: REASON" for each graph, or "skip REASON" alone. Fused kernels
 * are compiled, and loaded by the driver in driver.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu/attention_graph.h"
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

/* The plan's workspace must have so many bytes or more. */
static void offer_large(const char *name, const DnnGraph *g, int modes, int64_t least) {
    DnnPlan p;
    DnnResult result = g->full ? DNN_FAILED : dnn_plan_make(&p, &target, g, modes, 0);
    if (result != DNN_DONE) {
        printf("not ok %s: %s\n", name, g->full ? "the graph is too large" : reason(result));
        error_clear();
        return;
    }
    if (p.workspace < least) {
        printf("not ok %s: its workspace has %lld bytes\n", name, (long long)p.workspace);
    } else {
        printf(survives(&p) ? "ok %s\n" : "not ok %s: its plan cannot be kept\n", name);
    }
    dnn_plan_free(&p);
}

static void offer(const char *name, const DnnGraph *g, int modes) {
    offer_large(name, g, modes, 0);
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
        int ways = kind != DNN_FORWARD ? 1 : conv_takes_relu(dtype, modes, &s) ? 4 : 2;
        for (int how = 0; how < ways; how++) {
            bool biased = how & 1, relu = how & 2;
            char name[200];
            snprintf(name, sizeof name, "%s %s, %s%s%s%s%s", dtype_name(dtype), c->name,
                     kinds[kind], biased ? " with bias" : "", relu ? " and relu" : "",
                     modes & DNN_TF32 ? ", TF32" : "",
                     modes & DNN_NONDETERMINISTIC ? ", any engine" : "");
            ConvGraph t = {.kind = (DnnConv)kind,
                           .dtype = dtype,
                           .channels_last = conv_channels_last(dtype, modes),
                           .biased = biased,
                           .relu = relu};
            conv_graph(&g, &t, &s, s.n);
            offer(name, &g, modes);
        }
    }
}

typedef struct Attention {
    const char *name;
    int64_t batch, heads, key_heads, queries, keys, depth, width;
    bool inside; /* the heads of a row lie side by side */
} Attention;

static const Attention attentions[] = {{"of 64", 8, 12, 12, 1024, 1024, 64, 64, false},
                                       {"of heads inside", 8, 12, 12, 1024, 1024, 64, 64, true},
                                       {"of 128, shared keys", 2, 12, 4, 512, 512, 128, 128, false},
                                       {"of odd lengths", 2, 2, 2, 65, 131, 40, 40, false},
                                       {"of two widths", 2, 2, 2, 300, 200, 72, 64, false},
                                       {"of 256", 1, 2, 1, 256, 384, 256, 256, false}};

/* A view of (B, H, rows, columns), or (B, H, rows) for no columns, at an address of no use. */
static View heads_view(int dtype, int64_t (*sizes)[2][4], int64_t batch, int64_t heads,
                       int64_t rows, int64_t columns, bool inside) {
    int64_t wide = columns ? columns : 1;
    int64_t shape[] = {batch, heads, rows, columns};
    int64_t stride[] = {heads * rows * wide, inside ? wide : rows * wide,
                        inside ? heads * wide : wide, 1};
    memcpy((*sizes)[0], shape, sizeof shape);
    memcpy((*sizes)[1], stride, sizeof stride);
    return (View){.data = (void *)4096,
                  .shape = (*sizes)[0],
                  .stride = (*sizes)[1],
                  .numel = batch * heads * rows * wide,
                  .dim = columns ? 4 : 3,
                  .dtype = dtype};
}

static void offer_attention(const Attention *a, int dtype, bool causal) {
    static DnnGraph g;
    int64_t size[5][2][4];
    View in[] = {heads_view(dtype, &size[0], a->batch, a->heads, a->queries, a->depth, a->inside),
                 heads_view(dtype, &size[1], a->batch, a->key_heads, a->keys, a->depth, a->inside),
                 heads_view(dtype, &size[2], a->batch, a->key_heads, a->keys, a->width, a->inside),
                 {.dtype = DT_NONE}};
    View out[] = {heads_view(dtype, &size[3], a->batch, a->heads, a->queries, a->width, false),
                  heads_view(DT_FLOAT32, &size[4], a->batch, a->heads, a->queries, 0, false)};
    Arg arg[6] = {[4] = {.kind = ARG_FLOAT, .f = 0.125}, [5] = {.kind = ARG_BOOL, .b = causal}};
    KernelCall call = {.name = "attend", .in = in, .n_in = 4, .out = out, .n_out = 2, .arg = arg};
    char name[200];
    snprintf(name, sizeof name, "attention %s, %s%s", a->name, dtype_name(dtype),
             causal ? ", causal" : "");
    attention_graph(&g, &call);
    offer(name, &g, 0);
}

/* In any order: summed up in memory. In one order, for which the gradients of all scores are kept
 * in the workspace: that is what says of a plan that its results are the same each time. */
static void offer_backward(const Attention *a, int dtype, bool causal, bool any_order) {
    static DnnGraph g;
    void *somewhere = (void *)4096;
    int64_t size[9][2][4], scores = a->batch * a->heads * a->queries * a->keys * 2;
    View out = heads_view(dtype, &size[0], a->batch, a->heads, a->queries, a->width, false),
         lse = heads_view(DT_FLOAT32, &size[1], a->batch, a->heads, a->queries, 0, false);
    View in[] = {heads_view(dtype, &size[2], a->batch, a->heads, a->queries, a->width, a->inside),
                 heads_view(dtype, &size[3], a->batch, a->heads, a->queries, a->depth, a->inside),
                 heads_view(dtype, &size[4], a->batch, a->key_heads, a->keys, a->depth, a->inside),
                 heads_view(dtype, &size[5], a->batch, a->key_heads, a->keys, a->width, a->inside),
                 {.dtype = DT_NONE},
                 out,
                 lse,
                 {.dtype = DT_NONE}};
    View grads[] = {heads_view(dtype, &size[6], a->batch, a->heads, a->queries, a->depth, false),
                    heads_view(dtype, &size[7], a->batch, a->key_heads, a->keys, a->depth, false),
                    heads_view(dtype, &size[8], a->batch, a->key_heads, a->keys, a->width, false)};
    Arg arg[10] = {[8] = {.kind = ARG_FLOAT, .f = 0.125}, [9] = {.kind = ARG_BOOL, .b = causal}};
    KernelCall call = {
        .name = "attend_backward", .in = in, .n_in = 8, .out = grads, .n_out = 3, .arg = arg};
    AttentionScratch scratch = {somewhere, any_order ? somewhere : NULL};
    char name[200];
    snprintf(name, sizeof name, "gradients of attention %s, %s%s%s", a->name, dtype_name(dtype),
             causal ? ", causal" : "", any_order ? ", in any order" : "");
    attention_backward_graph(&g, &call, &scratch);
    offer_large(name, &g, any_order ? DNN_NONDETERMINISTIC : 0, any_order ? 0 : scores);
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
    for (size_t i = 0; i < sizeof attentions / sizeof *attentions; i++) {
        for (int causal = 0; causal < 2; causal++) {
            int dtype = causal ? DT_FLOAT16 : DT_BFLOAT16;
            offer_attention(&attentions[i], dtype, causal != 0);
            offer_backward(&attentions[i], dtype, causal != 0, false);
        }
        offer_backward(&attentions[i], DT_BFLOAT16, i % 2 == 0, true);
    }
    return 0;
}
