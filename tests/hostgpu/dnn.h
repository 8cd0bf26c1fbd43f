#ifndef TOCHA_HOSTGPU_DNN_H
#define TOCHA_HOSTGPU_DNN_H
/* cuDNN's RNN API (dnn_rnn.cpp) and its graph API by interpretation: a descriptor is a node with
 * attributes, and a plan runs its graph's operations one after the other, each on whole tensors of
 * doubles. Operations are added by a list in a file of their family:
 *
 *     static const Operations operations({{type, {attributes of inputs}, of the output, run}});
 */
#include <cudnn.h>

#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime.h"

namespace hostgpu {

struct DnnHandle {
    cudaStream_t stream;
};

/* HOSTGPU_DNN=none */
bool has_no_engines();

/* Element i of an array of a cudnnDataType_t, and a number rounded to the 10 bits behind the point
 * that TF32 has. */
double element_at(const void *p, int64_t i, int64_t type);
void set_element(void *p, int64_t i, int64_t type, double v);
double as_tf32(double v);

struct Node;
typedef std::shared_ptr<Node> Part;

struct Attribute {
    std::vector<int64_t> whole; /* integers, enums, booleans, pointers */
    std::vector<double> number;
    std::vector<Part> part;
    std::string text;
};

struct Node {
    cudnnBackendDescriptorType_t type;
    bool final = false;
    std::map<int, Attribute> attributes;

    bool has(int name) const { return attributes.count(name) != 0; }
    /* An attribute that has to be there. */
    const std::vector<int64_t> &list(int name) const { return attributes.at(name).whole; }
    int64_t one(int name) const { return list(name).at(0); }
    const Part &part(int name) const { return attributes.at(name).part.at(0); }
};

/* Calls f(offset) for each element of a tensor, in order. */
template <class F> void each_element(const Node &tensor, F f) {
    const auto &shape = tensor.list(CUDNN_ATTR_TENSOR_DIMENSIONS);
    const auto &stride = tensor.list(CUDNN_ATTR_TENSOR_STRIDES);
    std::vector<int64_t> place(shape.size(), 0);
    for (bool more = true; more;) {
        int64_t offset = 0;
        for (size_t d = 0; d < shape.size(); d++) {
            offset += place[d] * stride[d];
        }
        f(offset);
        more = false;
        for (size_t d = shape.size(); d-- > 0 && !more;) {
            more = ++place[d] < shape[d];
            place[d] = more ? place[d] : 0;
        }
    }
}

/* A descriptor with all that it refers to as a text, and back; NULL where the text is none. */
std::string text_of(const Part &node);
Part node_of(const std::string &text);

/* A tensor's elements in the order of its dims, the last one fastest. */
struct Values {
    std::vector<int64_t> shape;
    std::vector<double> at;
};

/* One kind of operation: computes y, whose shape is set and whose elements are 0, from the inputs.
 * CUDNN_STATUS_BAD_PARAM where shapes do not fit. */
struct Operation {
    cudnnBackendDescriptorType_t type;
    std::vector<int> inputs; /* attributes; those that are not set come without elements */
    int output;
    cudnnStatus_t (*run)(const Node &op, const std::vector<Values> &in, Values &y);
};

struct Operations {
    Operations(std::initializer_list<Operation> list);
};

} // namespace hostgpu

#endif
