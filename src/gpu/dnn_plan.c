#include "gpu/dnn_plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "gpu/dnn_library.h"

typedef cudnnBackendDescriptor_t Descriptor;

cudnnStatus_t dnn_create(cudnnBackendDescriptorType_t type, Descriptor *d) {
    *d = NULL;
    return DNN(cudnnBackendCreateDescriptor)(type, d);
}

cudnnStatus_t dnn_attribute(Descriptor d, cudnnBackendAttributeName_t name,
                            cudnnBackendAttributeType_t type, int64_t count, const void *values) {
    return DNN(cudnnBackendSetAttribute)(d, name, type, count, values);
}

void dnn_destroy(Descriptor d) {
    if (d) {
        DNN(cudnnBackendDestroyDescriptor)(d);
    }
}

/* Attribute values as cuDNN takes them. */
typedef union Value {
    int64_t whole[MAX_DIMS];
    int word[MAX_DIMS];
    bool truth[MAX_DIMS];
    double twice[MAX_DIMS];
    float single[MAX_DIMS];
    Descriptor part[MAX_DIMS];
} Value;

static void convert(Value *v, int64_t type, int64_t count, const int64_t *w, Descriptor *parts) {
    for (int64_t i = 0; i < count; i++) {
        double number;
        memcpy(&number, &w[i], sizeof number);
        switch (type) {
        case CUDNN_TYPE_INT64: v->whole[i] = w[i]; break;
        case CUDNN_TYPE_BOOLEAN: v->truth[i] = w[i] != 0; break;
        case CUDNN_TYPE_DOUBLE: v->twice[i] = number; break;
        case CUDNN_TYPE_FLOAT: v->single[i] = (float)number; break;
        case CUDNN_TYPE_BACKEND_DESCRIPTOR: v->part[i] = parts[w[i]]; break;
        default: v->word[i] = (int)w[i]; break; /* enums */
        }
    }
}

/* The descriptor of the record at w; parts are those of the records before it. */
static cudnnStatus_t build(Descriptor *d, const int64_t *w, Descriptor *parts) {
    cudnnStatus_t status = dnn_create((cudnnBackendDescriptorType_t)w[0], d);
    const int64_t *at = w + DNN_HEAD, *end = at + w[2];
    for (; status == CUDNN_STATUS_SUCCESS && at < end; at += DNN_HEAD + at[2]) {
        Value v;
        convert(&v, at[1], at[2], at + DNN_HEAD, parts);
        status = dnn_attribute(*d, (cudnnBackendAttributeName_t)at[0],
                               (cudnnBackendAttributeType_t)at[1], at[2], &v);
    }
    return status == CUDNN_STATUS_SUCCESS ? DNN(cudnnBackendFinalize)(*d) : status;
}

/* The operation graph, as the last of p's parts. */
static cudnnStatus_t join(DnnPlan *p, const DnnTarget *t, Descriptor *operations, int count) {
    Descriptor *graph = &p->part[p->parts++];
    cudnnStatus_t status = dnn_create(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, graph);
    if (status == CUDNN_STATUS_SUCCESS) {
        status = dnn_attribute(*graph, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                               count, operations);
    }
    if (status == CUDNN_STATUS_SUCCESS && t->handle) {
        status = dnn_attribute(*graph, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1,
                               &t->handle);
    }
    return status == CUDNN_STATUS_SUCCESS ? DNN(cudnnBackendFinalize)(*graph) : status;
}

static cudnnStatus_t build_all(DnnPlan *p, const DnnTarget *t, const DnnGraph *g) {
    Descriptor operations[DNN_RECORDS];
    int count = 0;
    for (const int64_t *w = g->word; w < g->word + g->words; w += DNN_HEAD + w[2]) {
        Descriptor *d = &p->part[p->parts++];
        cudnnStatus_t status = build(d, w, p->part);
        if (status != CUDNN_STATUS_SUCCESS) {
            return status;
        }
        if (w[1]) {
            operations[count++] = *d;
        }
    }
    return join(p, t, operations, count);
}

/* Of an engine: which of its notes, a bit each. */
static unsigned notes_of(Descriptor engine) {
    cudnnBackendNumericalNote_t note[CUDNN_NUMERICAL_NOTE_TYPE_COUNT];
    int64_t n = 0;
    unsigned bits = 0;
    DNN(cudnnBackendGetAttribute)
    (engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE,
     CUDNN_NUMERICAL_NOTE_TYPE_COUNT, &n, note);
    for (int64_t i = 0; i < n && i < CUDNN_NUMERICAL_NOTE_TYPE_COUNT; i++) {
        bits |= 1u << note[i];
    }
    return bits;
}

static unsigned notes_of_config(Descriptor config) {
    Descriptor engine;
    int64_t n = 0;
    unsigned notes = 0;
    if (dnn_create(CUDNN_BACKEND_ENGINE_DESCRIPTOR, &engine) == CUDNN_STATUS_SUCCESS &&
        DNN(cudnnBackendGetAttribute)(config, CUDNN_ATTR_ENGINECFG_ENGINE,
                                      CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &n,
                                      &engine) == CUDNN_STATUS_SUCCESS) {
        notes = notes_of(engine);
    }
    dnn_destroy(engine);
    return notes;
}

/* Sums are never shorter than float. With float32, tensor cores mean TF32. */
static bool may_use(Descriptor config, int modes) {
    unsigned bad = 1u << CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION;
    if (!(modes & DNN_TF32)) {
        bad |=
            1u << CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS | 1u << CUDNN_NUMERICAL_NOTE_TENSOR_CORE;
    }
    if (!(modes & DNN_NONDETERMINISTIC)) {
        bad |= 1u << CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC;
    }
    return (notes_of_config(config) & bad) == 0;
}

/* Engines that want more than this are left out: memory is for tensors. */
static const int64_t most_workspace = INT64_C(1) << 30;

/* A plan made of a configuration, or of a text. */
static bool finish(DnnPlan *p, const DnnTarget *t, cudnnBackendAttributeName_t name,
                   cudnnBackendAttributeType_t type, int64_t count, const void *source) {
    Descriptor d;
    int64_t n = 0;
    bool ok = dnn_create(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, &d) == CUDNN_STATUS_SUCCESS &&
              dnn_attribute(d, name, type, count, source) == CUDNN_STATUS_SUCCESS;
    if (ok && t->handle) {
        ok = dnn_attribute(d, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, &t->handle) ==
             CUDNN_STATUS_SUCCESS;
    } else if (ok) {
        ok = dnn_attribute(d, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                           1, &t->described) == CUDNN_STATUS_SUCCESS;
    }
    ok =
        ok && DNN(cudnnBackendFinalize)(d) == CUDNN_STATUS_SUCCESS &&
        DNN(cudnnBackendGetAttribute)(d, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64,
                                      1, &n, &p->workspace) == CUDNN_STATUS_SUCCESS &&
        p->workspace >= 0 && p->workspace <= most_workspace;
    if (!ok) {
        dnn_destroy(d);
        return false;
    }
    p->plan = d;
    return true;
}

char *dnn_plan_text(const DnnPlan *p, size_t *bytes) {
    int64_t n = 0, got = 0;
    if (DNN(cudnnBackendGetAttribute)(p->plan, CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION,
                                      CUDNN_TYPE_CHAR, 0, &n, NULL) != CUDNN_STATUS_SUCCESS ||
        n <= 0) {
        return NULL;
    }
    char *text = malloc((size_t)n);
    if (text &&
        DNN(cudnnBackendGetAttribute)(p->plan, CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION,
                                      CUDNN_TYPE_CHAR, n, &got, text) == CUDNN_STATUS_SUCCESS &&
        got == n) {
        *bytes = (size_t)n;
        return text;
    }
    free(text);
    return NULL;
}

bool dnn_plan_from_text(DnnPlan *p, const DnnTarget *t, const char *text, size_t bytes) {
    *p = (DnnPlan){.engine = -1};
    return finish(p, t, CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
                  (int64_t)bytes, text);
}

enum { CONFIGS = 64 };

/* The configurations that cuDNN thinks best, best first. */
static int64_t offers(const DnnPlan *p, const DnnTarget *t, cudnnBackendHeurMode_t mode,
                      Descriptor *config) {
    Descriptor ask;
    int64_t n = 0;
    bool ok =
        dnn_create(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, &ask) == CUDNN_STATUS_SUCCESS &&
        dnn_attribute(ask, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                      &p->part[p->parts - 1]) == CUDNN_STATUS_SUCCESS &&
        dnn_attribute(ask, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode) ==
            CUDNN_STATUS_SUCCESS &&
        (t->handle ||
         dnn_attribute(ask, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                       &t->described) == CUDNN_STATUS_SUCCESS) &&
        DNN(cudnnBackendFinalize)(ask) == CUDNN_STATUS_SUCCESS &&
        DNN(cudnnBackendGetAttribute)(ask, CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                      CUDNN_TYPE_BACKEND_DESCRIPTOR, CONFIGS, &n,
                                      config) == CUDNN_STATUS_SUCCESS;
    dnn_destroy(ask);
    return !ok ? 0 : n < CONFIGS ? n : CONFIGS;
}

/* Tries one mode's offers; *number counts them through all modes. */
static bool choose(DnnPlan *p, const DnnTarget *t, cudnnBackendHeurMode_t mode, int modes, int from,
                   int *number) {
    Descriptor config[CONFIGS];
    for (int i = 0; i < CONFIGS; i++) {
        dnn_create(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, &config[i]);
    }
    int64_t n = offers(p, t, mode, config);
    bool found = false;
    for (int64_t i = 0; i < n && !found; i++, ++*number) {
        found = *number >= from && may_use(config[i], modes) &&
                finish(p, t, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                       1, &config[i]);
        if (found) {
            p->engine = *number;
            p->part[p->parts++] = config[i];
            config[i] = NULL;
        }
    }
    for (int i = 0; i < CONFIGS; i++) {
        dnn_destroy(config[i]);
    }
    return found;
}

DnnResult dnn_plan_make(DnnPlan *p, const DnnTarget *t, const DnnGraph *g, int modes, int from) {
    modes |= g->float32 ? 0 : DNN_TF32;
    enum { MORE = 2 }; /* the graph and the configuration */
    *p = (DnnPlan){.part = mem_zalloc((size_t)(g->records + MORE) * sizeof *p->part)};
    if (!p->part) {
        return DNN_FAILED;
    }
    p->size = g->records + MORE;
    cudnnStatus_t status = build_all(p, t, g);
    int number = 0;
    if (status == CUDNN_STATUS_SUCCESS &&
        (choose(p, t, CUDNN_HEUR_MODE_A, modes, from, &number) ||
         choose(p, t, CUDNN_HEUR_MODE_FALLBACK, modes, from, &number))) {
        return DNN_DONE;
    }
    bool refused = status == CUDNN_STATUS_SUCCESS || dnn_unsupported(status);
    if (!refused) {
        dnn_fail(status, "a graph of operations");
    }
    dnn_plan_free(p);
    return refused ? DNN_UNSUPPORTED : DNN_FAILED;
}

void dnn_plan_free(DnnPlan *p) {
    dnn_destroy(p->plan);
    while (p->parts > 0) {
        dnn_destroy(p->part[--p->parts]);
    }
    if (p->part) {
        mem_free(p->part, (size_t)p->size * sizeof *p->part);
    }
    *p = (DnnPlan){.plan = NULL};
}

cudnnStatus_t dnn_plan_execute(const DnnPlan *p, cudnnHandle_t handle, const DnnGraph *g,
                               void *workspace) {
    Descriptor pack;
    cudnnStatus_t status = dnn_create(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, &pack);
    if (status == CUDNN_STATUS_SUCCESS) {
        status = dnn_attribute(pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, g->bound,
                               g->uid);
    }
    if (status == CUDNN_STATUS_SUCCESS) {
        status = dnn_attribute(pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR,
                               g->bound, g->data);
    }
    if (status == CUDNN_STATUS_SUCCESS) {
        status = dnn_attribute(pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1,
                               &workspace);
    }
    if (status == CUDNN_STATUS_SUCCESS) {
        status = DNN(cudnnBackendFinalize)(pack);
    }
    if (status == CUDNN_STATUS_SUCCESS) {
        status = DNN(cudnnBackendExecute)(handle, p->plan, pack);
    }
    dnn_destroy(pack);
    return status;
}
