/* Descriptors, heuristics, plans. Every graph is offered the same engines, which try what the
 * backend makes of them:
 *
 *     NOISY     says that it is not deterministic, and computes nonsense
 *     ROUNDING  of graphs with float32: tensor cores, rounds float32 to TF32
 *     REFUSED   cannot be made a plan of
 *     LATE      finds out at its execution that it does not do
 *     EXACT     is right, and writes all over its workspace
 *
 * HOSTGPU_DNN=none: no graph is offered an engine; exact: EXACT alone. HOSTGPU_DNN_VERSION=91600:
 * says that it is 9.16.0. */
#include "dnn.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <set>

#include "library.h"
#include "tensor/formulas/half.h"

namespace hostgpu {

enum Engine { NOISY, ROUNDING, REFUSED, LATE, EXACT, N_ENGINES };
enum { WORKSPACE = 1024 };

static std::vector<Operation> &operations() {
    static std::vector<Operation> all;
    return all;
}

Operations::Operations(std::initializer_list<Operation> list) {
    operations().insert(operations().end(), list.begin(), list.end());
}

static const Operation *operation_of(const Node &op) {
    for (const Operation &o : operations()) {
        if (o.type == op.type) {
            return &o;
        }
    }
    return nullptr;
}

static Part &part_of(cudnnBackendDescriptor_t d) { return *(Part *)d; }

static cudnnStatus_t create(cudnnBackendDescriptorType_t type, cudnnBackendDescriptor_t *d) {
    Part node = std::make_shared<Node>();
    node->type = type;
    *d = new Part(node);
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t destroy(cudnnBackendDescriptor_t d) {
    delete (Part *)d;
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t set_attribute(cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name,
                                   cudnnBackendAttributeType_t type, int64_t count,
                                   const void *elements) {
    Node &node = *part_of(d);
    if (node.final || count < 0) {
        return CUDNN_STATUS_BAD_PARAM;
    }
    Attribute &a = node.attributes[name] = Attribute();
    for (int64_t i = 0; i < count; i++) {
        switch (type) {
        case CUDNN_TYPE_INT64: a.whole.push_back(((const int64_t *)elements)[i]); break;
        case CUDNN_TYPE_BOOLEAN: a.whole.push_back(((const bool *)elements)[i]); break;
        case CUDNN_TYPE_HANDLE:
        case CUDNN_TYPE_VOID_PTR: a.whole.push_back(((const int64_t *)elements)[i]); break;
        case CUDNN_TYPE_CHAR: a.text += ((const char *)elements)[i]; break;
        case CUDNN_TYPE_FLOAT: a.number.push_back(((const float *)elements)[i]); break;
        case CUDNN_TYPE_DOUBLE: a.number.push_back(((const double *)elements)[i]); break;
        case CUDNN_TYPE_BACKEND_DESCRIPTOR: {
            Part part = part_of(((cudnnBackendDescriptor_t *)elements)[i]);
            if (!part->final && part->type != CUDNN_BACKEND_ENGINECFG_DESCRIPTOR) {
                return CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED;
            }
            a.part.push_back(part);
            break;
        }
        default: a.whole.push_back(((const int *)elements)[i]); break;
        }
    }
    return CUDNN_STATUS_SUCCESS;
}

/* The attributes that a descriptor cannot do without. */
static std::vector<int> required(const Node &node) {
    switch (node.type) {
    case CUDNN_BACKEND_TENSOR_DESCRIPTOR:
        return {CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_ATTR_TENSOR_DIMENSIONS,
                CUDNN_ATTR_TENSOR_STRIDES, CUDNN_ATTR_TENSOR_UNIQUE_ID,
                CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT};
    case CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR:
        return {CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_ATTR_OPERATIONGRAPH_OPS};
    case CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR:
        return {CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, CUDNN_ATTR_ENGINEHEUR_MODE};
    case CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR: return {CUDNN_ATTR_EXECUTION_PLAN_HANDLE};
    case CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR:
        return {CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS,
                CUDNN_ATTR_VARIANT_PACK_WORKSPACE};
    default: return {};
    }
}

static int engine_of(const Node &config) {
    return (int)config.part(CUDNN_ATTR_ENGINECFG_ENGINE)->one(CUDNN_ATTR_ENGINE_GLOBAL_INDEX);
}

/* A plan is of a configuration, or of the text that one was made of. */
static cudnnStatus_t finalize_plan(Node &node) {
    if (node.has(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION)) {
        Part config = node_of(node.attributes[CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION].text);
        if (!config || !config->has(CUDNN_ATTR_ENGINECFG_ENGINE)) {
            return CUDNN_STATUS_BAD_PARAM;
        }
        node.attributes[CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG].part = {config};
    }
    if (!node.has(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG)) {
        return CUDNN_STATUS_BAD_PARAM;
    }
    return engine_of(*node.part(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG)) == REFUSED
               ? CUDNN_STATUS_NOT_SUPPORTED_SHAPE
               : CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t finalize(cudnnBackendDescriptor_t d) {
    Node &node = *part_of(d);
    for (int name : required(node)) {
        if (!node.has(name)) {
            return CUDNN_STATUS_BAD_PARAM;
        }
    }
    if (node.type == CUDNN_BACKEND_TENSOR_DESCRIPTOR) {
        for (int64_t size : node.list(CUDNN_ATTR_TENSOR_DIMENSIONS)) {
            if (size < 1) {
                return CUDNN_STATUS_BAD_PARAM;
            }
        }
    }
    if (node.type == CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR) {
        cudnnStatus_t status = finalize_plan(node);
        if (status != CUDNN_STATUS_SUCCESS) {
            return status;
        }
    }
    node.final = true;
    return CUDNN_STATUS_SUCCESS;
}

static std::vector<Part> graph_operations(const Node &graph) {
    return graph.attributes.at(CUDNN_ATTR_OPERATIONGRAPH_OPS).part;
}

/* All operations are known, and whether one of their tensors is of float32. */
static bool known(const Node &graph, bool *has_float) {
    *has_float = false;
    for (const Part &op : graph_operations(graph)) {
        if (!operation_of(*op)) {
            return false;
        }
        for (const auto &a : op->attributes) {
            for (const Part &p : a.second.part) {
                *has_float =
                    *has_float || (p->type == CUDNN_BACKEND_TENSOR_DESCRIPTOR &&
                                   p->one(CUDNN_ATTR_TENSOR_DATA_TYPE) == CUDNN_DATA_FLOAT);
            }
        }
    }
    return true;
}

bool has_no_engines() {
    static const char *const setting = getenv("HOSTGPU_DNN");
    return setting && strcmp(setting, "none") == 0;
}

static int64_t offer(const Node &heuristics, int64_t room, cudnnBackendDescriptor_t *configs) {
    static const char *const setting = getenv("HOSTGPU_DNN");
    bool exact = setting && strcmp(setting, "exact") == 0, has_float;
    const Part &graph = heuristics.part(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH);
    int64_t n = 0;
    if (has_no_engines() || !known(*graph, &has_float) ||
        heuristics.one(CUDNN_ATTR_ENGINEHEUR_MODE) == CUDNN_HEUR_MODE_FALLBACK) {
        return 0;
    }
    for (int e = 0; e < N_ENGINES && n < room; e++) {
        if (e == EXACT || (!exact && (e != ROUNDING || has_float))) {
            Part engine = std::make_shared<Node>();
            engine->type = CUDNN_BACKEND_ENGINE_DESCRIPTOR;
            engine->attributes[CUDNN_ATTR_ENGINE_GLOBAL_INDEX].whole = {e};
            engine->attributes[CUDNN_ATTR_ENGINE_OPERATION_GRAPH].part = {graph};
            part_of(configs[n++])->attributes[CUDNN_ATTR_ENGINECFG_ENGINE].part = {engine};
        }
    }
    return n;
}

static cudnnStatus_t get_attribute(cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name,
                                   cudnnBackendAttributeType_t, int64_t room, int64_t *count,
                                   void *elements) {
    const Node &node = *part_of(d);
    *count = 1;
    switch (name) {
    case CUDNN_ATTR_ENGINEHEUR_RESULTS:
        *count = offer(node, room, (cudnnBackendDescriptor_t *)elements);
        return CUDNN_STATUS_SUCCESS;
    case CUDNN_ATTR_ENGINECFG_ENGINE:
        *part_of(*(cudnnBackendDescriptor_t *)elements) = *node.part(name);
        return CUDNN_STATUS_SUCCESS;
    case CUDNN_ATTR_ENGINE_NUMERICAL_NOTE: {
        int engine = (int)node.one(CUDNN_ATTR_ENGINE_GLOBAL_INDEX);
        *count = engine == NOISY || engine == ROUNDING;
        *(int *)elements = engine == NOISY ? CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC
                                           : CUDNN_NUMERICAL_NOTE_TENSOR_CORE;
        return CUDNN_STATUS_SUCCESS;
    }
    case CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION: {
        std::string text = text_of(node.part(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG));
        *count = (int64_t)text.size();
        if (room > 0) {
            memcpy(elements, text.data(), text.size());
        }
        return CUDNN_STATUS_SUCCESS;
    }
    case CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE:
        *(int64_t *)elements = WORKSPACE;
        return CUDNN_STATUS_SUCCESS;
    default: return CUDNN_STATUS_BAD_PARAM;
    }
}

double element_at(const void *p, int64_t i, int64_t type) {
    switch (type) {
    case CUDNN_DATA_FLOAT: return ((const float *)p)[i];
    case CUDNN_DATA_DOUBLE: return ((const double *)p)[i];
    case CUDNN_DATA_HALF: return f_from_f16(((const uint16_t *)p)[i]);
    case CUDNN_DATA_BFLOAT16: return f_from_bf16(((const uint16_t *)p)[i]);
    case CUDNN_DATA_INT32: return ((const int32_t *)p)[i];
    case CUDNN_DATA_BOOLEAN: return ((const uint8_t *)p)[i];
    default: abort();
    }
}

void set_element(void *p, int64_t i, int64_t type, double v) {
    switch (type) {
    case CUDNN_DATA_FLOAT: ((float *)p)[i] = (float)v; break;
    case CUDNN_DATA_DOUBLE: ((double *)p)[i] = v; break;
    case CUDNN_DATA_HALF: ((uint16_t *)p)[i] = f_to_f16((float)v); break;
    case CUDNN_DATA_BFLOAT16: ((uint16_t *)p)[i] = f_to_bf16((float)v); break;
    case CUDNN_DATA_INT32: ((int32_t *)p)[i] = (int32_t)v; break;
    case CUDNN_DATA_BOOLEAN: ((uint8_t *)p)[i] = v != 0; break;
    default: abort();
    }
}

/* To the 10 bits behind the point that TF32 has. */
double as_tf32(double v) {
    int exponent;
    double m = frexp(v, &exponent);
    return isfinite(v) ? ldexp(rint(ldexp(m, 11)), exponent - 11) : v;
}

/* What an execution knows: tensors in memory by their uids, and the others' values. */
struct Run {
    int engine;
    std::vector<Part> operations;
    std::map<int64_t, void *> memory;
    std::map<int64_t, std::vector<char>> numbers; /* given by value */
    std::map<int64_t, Values> between;
    std::set<int64_t> awaited; /* the outputs of operations that have not run yet */
};

static int64_t uid_of(const Node &tensor) { return tensor.one(CUDNN_ATTR_TENSOR_UNIQUE_ID); }

static bool flag(const Node &tensor, int name) { return tensor.has(name) && tensor.one(name); }

static Values load(const Run &run, const Node &tensor) {
    int64_t uid = uid_of(tensor), type = tensor.one(CUDNN_ATTR_TENSOR_DATA_TYPE);
    if (flag(tensor, CUDNN_ATTR_TENSOR_IS_VIRTUAL)) {
        return run.between.at(uid);
    }
    const void *p = flag(tensor, CUDNN_ATTR_TENSOR_IS_BY_VALUE) ? run.numbers.at(uid).data()
                                                                : run.memory.at(uid);
    Values v = {tensor.list(CUDNN_ATTR_TENSOR_DIMENSIONS), {}};
    bool rounds = run.engine == ROUNDING && type == CUDNN_DATA_FLOAT &&
                  !flag(tensor, CUDNN_ATTR_TENSOR_IS_BY_VALUE);
    each_element(tensor, [&](int64_t offset) {
        double x = element_at(p, offset, type);
        v.at.push_back(rounds ? as_tf32(x) : x);
    });
    return v;
}

static void store(Run &run, const Node &tensor, Values &v) {
    int64_t type = tensor.one(CUDNN_ATTR_TENSOR_DATA_TYPE);
    size_t i = 0;
    if (flag(tensor, CUDNN_ATTR_TENSOR_IS_VIRTUAL)) {
        for (double &x : v.at) {
            char rounded[sizeof(double)];
            set_element(rounded, 0, type, x);
            x = element_at(rounded, 0, type);
        }
        run.between[uid_of(tensor)] = v;
        return;
    }
    void *p = run.memory.at(uid_of(tensor));
    each_element(tensor, [&](int64_t offset) {
        set_element(p, offset, type, v.at[i++] + (run.engine == NOISY ? rand() : 0));
    });
}

/* Products in memory as floats are what the blocks of cuDNN's fused attention add to, in any order:
 * off by so much that halves are rounded otherwise at times. */
static void shake(const Node &tensor, Values &v) {
    if (!flag(tensor, CUDNN_ATTR_TENSOR_IS_VIRTUAL) &&
        tensor.one(CUDNN_ATTR_TENSOR_DATA_TYPE) == CUDNN_DATA_FLOAT) {
        for (double &x : v.at) {
            x *= 1 + 1e-3 * rand() / RAND_MAX;
        }
    }
}

/* Whether all that the operation reads has been computed. */
static bool is_ready(const Run &run, const Node &op, const Operation &o) {
    for (int name : o.inputs) {
        if (op.has(name)) {
            if (run.awaited.count(uid_of(*op.part(name)))) {
                return false;
            }
        }
    }
    return true;
}

static cudnnStatus_t compute(Run &run, const Node &op, const Operation &o) {
    std::vector<Values> in;
    for (int name : o.inputs) {
        in.push_back(op.has(name) ? load(run, *op.part(name)) : Values());
    }
    const Node &tensor = *op.part(o.output);
    Values y = {tensor.list(CUDNN_ATTR_TENSOR_DIMENSIONS), {}};
    int64_t size = 1;
    for (int64_t s : y.shape) {
        size *= s;
    }
    y.at.assign((size_t)size, 0);
    cudnnStatus_t status = o.run(op, in, y);
    if (status == CUDNN_STATUS_SUCCESS) {
        if (op.type == CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR) {
            shake(tensor, y);
        }
        store(run, tensor, y);
        run.awaited.erase(uid_of(tensor));
    }
    return status;
}

static void run_all(Run &run) {
    std::set<const Node *> done;
    for (const Part &op : run.operations) {
        run.awaited.insert(uid_of(*op->part(operation_of(*op)->output)));
    }
    for (size_t before = 1; done.size() != before;) {
        before = done.size();
        for (const Part &op : run.operations) {
            const Operation &o = *operation_of(*op);
            if (!done.count(op.get()) && is_ready(run, *op, o)) {
                if (compute(run, *op, o) != CUDNN_STATUS_SUCCESS) {
                    fprintf(stderr, "hostgpu: cuDNN would refuse an operation's shapes\n");
                    abort();
                }
                done.insert(op.get());
            }
        }
    }
    if (done.size() != run.operations.size()) {
        fprintf(stderr, "hostgpu: operations of a graph wait for each other\n");
        abort();
    }
}

/* Notes where a tensor's elements are; what is given by value is read at once. */
static cudnnStatus_t give(Run &run, const Node &tensor, const std::map<int64_t, void *> &given) {
    int64_t uid = uid_of(tensor);
    if (flag(tensor, CUDNN_ATTR_TENSOR_IS_VIRTUAL)) {
        return CUDNN_STATUS_SUCCESS;
    }
    auto found = given.find(uid);
    if (found == given.end() || !found->second) {
        return CUDNN_STATUS_BAD_PARAM_NULL_POINTER;
    }
    if (flag(tensor, CUDNN_ATTR_TENSOR_IS_BY_VALUE)) {
        bool twice = tensor.one(CUDNN_ATTR_TENSOR_DATA_TYPE) == CUDNN_DATA_DOUBLE;
        const char *p = (const char *)found->second;
        run.numbers[uid].assign(p, p + (twice ? sizeof(double) : sizeof(float)));
    } else if ((int64_t)found->second % tensor.one(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT) != 0) {
        return CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER;
    }
    run.memory[uid] = found->second;
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t give_all(Run &run, const std::map<int64_t, void *> &given) {
    for (const Part &op : run.operations) {
        for (const auto &a : op->attributes) {
            for (const Part &p : a.second.part) {
                if (p->type == CUDNN_BACKEND_TENSOR_DESCRIPTOR) {
                    cudnnStatus_t status = give(run, *p, given);
                    if (status != CUDNN_STATUS_SUCCESS) {
                        return status;
                    }
                }
            }
        }
    }
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t execute(cudnnHandle_t handle, cudnnBackendDescriptor_t plan,
                             cudnnBackendDescriptor_t pack) {
    const Node &config = *part_of(plan)->part(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
    const Node &data = *part_of(pack);
    Run run;
    run.engine = engine_of(config);
    if (run.engine == LATE) {
        return CUDNN_STATUS_NOT_SUPPORTED;
    }
    run.operations = graph_operations(
        *config.part(CUDNN_ATTR_ENGINECFG_ENGINE)->part(CUDNN_ATTR_ENGINE_OPERATION_GRAPH));
    std::map<int64_t, void *> given;
    for (size_t i = 0; i < data.list(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS).size(); i++) {
        given[data.list(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS)[i]] =
            (void *)data.list(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS).at(i);
    }
    cudnnStatus_t status = give_all(run, given);
    if (status != CUDNN_STATUS_SUCCESS) {
        return status;
    }
    void *workspace = (void *)data.one(CUDNN_ATTR_VARIANT_PACK_WORKSPACE);
    cudaError_t error = enqueue(((DnnHandle *)handle)->stream, [=]() mutable {
        memset(workspace, 0xff, WORKSPACE);
        run_all(run);
    });
    return error ? CUDNN_STATUS_EXECUTION_FAILED : CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t handle_create(cudnnHandle_t *handle) {
    *handle = (cudnnHandle_t) new DnnHandle{nullptr};
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t set_stream(cudnnHandle_t handle, cudaStream_t stream) {
    ((DnnHandle *)handle)->stream = stream;
    return CUDNN_STATUS_SUCCESS;
}

static const char *error_string(cudnnStatus_t status) {
    return status == CUDNN_STATUS_SUCCESS ? "CUDNN_STATUS_SUCCESS" : "the stand-in refuses";
}

static void last_error_string(char *text, size_t size) { snprintf(text, size, "%s", ""); }

static size_t version() {
    const char *setting = getenv("HOSTGPU_DNN_VERSION");
    return setting ? (size_t)atol(setting) : CUDNN_VERSION;
}

static const StandIns functions({{"cudnnGetVersion", version},
                                 {"cudnnGetErrorString", error_string},
                                 {"cudnnGetLastErrorString", last_error_string},
                                 {"cudnnCreate", handle_create},
                                 {"cudnnSetStream", set_stream},
                                 {"cudnnBackendCreateDescriptor", create},
                                 {"cudnnBackendDestroyDescriptor", destroy},
                                 {"cudnnBackendSetAttribute", set_attribute},
                                 {"cudnnBackendGetAttribute", get_attribute},
                                 {"cudnnBackendFinalize", finalize},
                                 {"cudnnBackendExecute", execute}});

} // namespace hostgpu
