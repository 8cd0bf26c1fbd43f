/* Descriptors as text: (type name value,value...; name {part}...; ...), for plans that are kept. */
#include <sstream>

#include "dnn.h"

namespace hostgpu {

static void write(std::ostream &out, const Node &node) {
    out << '(' << (int)node.type;
    for (const auto &a : node.attributes) {
        out << " @" << a.first;
        for (int64_t v : a.second.whole) {
            out << " #" << v;
        }
        for (double v : a.second.number) {
            out << " %" << v;
        }
        for (const Part &p : a.second.part) {
            out << " ";
            write(out, *p);
        }
    }
    out << ')';
}

std::string text_of(const Part &node) {
    std::ostringstream out;
    out.precision(17);
    write(out, *node);
    return out.str();
}

/* Behind an opening bracket. */
static Part read(std::istream &in) {
    Part node = std::make_shared<Node>();
    Attribute *a = nullptr;
    int type, name;
    char mark;
    if (!(in >> type)) {
        return nullptr;
    }
    node->type = (cudnnBackendDescriptorType_t)type;
    node->final = true;
    while (in >> mark && mark != ')') {
        if (mark == '@' && in >> name) {
            a = &node->attributes[name];
        } else if (mark == '#' && a) {
            a->whole.push_back(0);
            in >> a->whole.back();
        } else if (mark == '%' && a) {
            a->number.push_back(0);
            in >> a->number.back();
        } else {
            Part p = mark == '(' && a ? read(in) : nullptr;
            if (!p) {
                return nullptr;
            }
            a->part.push_back(p);
        }
    }
    return in ? node : nullptr;
}

Part node_of(const std::string &text) {
    std::istringstream in(text);
    char mark;
    return in >> mark && mark == '(' ? read(in) : nullptr;
}

} // namespace hostgpu
