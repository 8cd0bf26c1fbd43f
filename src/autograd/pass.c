#include "autograd/pass.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { FIRST_SLOTS = 32 };

static size_t more_bytes(const Node *n) { return (size_t)(n->n_out - 1) * sizeof(Tensor *); }

static void slot_free(Slot *s) {
    tensor_release(s->first);
    for (int k = 0; s->more && k < s->node->n_out - 1; k++) {
        tensor_release(s->more[k]);
    }
    if (s->more) {
        mem_free(s->more, more_bytes(s->node));
    }
    node_release(s->node);
}

void pass_free(Pass *p) {
    for (int64_t i = 0; i < p->n; i++) {
        slot_free(&p->slot[i]);
    }
    mem_free(p->slot, (size_t)p->capacity * sizeof *p->slot);
    mem_free(p->table, (size_t)p->table_size * sizeof *p->table);
    mem_free(p->heap, (size_t)p->heap_capacity * sizeof *p->heap);
}

/* A block of wanted elements with the first n of old's, which is freed; NULL: old is as it was. */
static void *regrown(void *old, int64_t n, int64_t capacity, int64_t wanted, size_t size) {
    void *p = mem_alloc((size_t)wanted * size);
    if (!p) {
        return NULL;
    }
    if (n) {
        memcpy(p, old, (size_t)n * size);
    }
    mem_free(old, (size_t)capacity * size);
    return p;
}

static int64_t table_position(const Pass *p, const Node *node) {
    uint64_t h = (uint64_t)(uintptr_t)node * 0x9E3779B97F4A7C15u;
    int64_t mask = p->table_size - 1;
    int64_t at = (int64_t)(h >> 32) & mask;
    while (p->table[at] && p->slot[p->table[at] - 1].node != node) {
        at = (at + 1) & mask;
    }
    return at;
}

static bool grow_table(Pass *p) {
    int64_t size = p->table_size ? p->table_size * 2 : 2 * FIRST_SLOTS;
    int64_t *table = mem_zalloc((size_t)size * sizeof *table);
    if (!table) {
        return false;
    }
    mem_free(p->table, (size_t)p->table_size * sizeof *p->table);
    p->table = table;
    p->table_size = size;
    for (int64_t i = 0; i < p->n; i++) {
        table[table_position(p, p->slot[i].node)] = i + 1;
    }
    return true;
}

static bool make_room(Pass *p) {
    if (2 * (p->n + 1) > p->table_size && !grow_table(p)) {
        return false;
    }
    if (p->n < p->capacity) {
        return true;
    }
    int64_t wanted = p->capacity ? p->capacity * 2 : FIRST_SLOTS;
    Slot *slot = regrown(p->slot, p->n, p->capacity, wanted, sizeof *slot);
    if (!slot) {
        return false;
    }
    p->slot = slot;
    p->capacity = wanted;
    return true;
}

int64_t pass_find(const Pass *p, const Node *node) {
    return p->table_size ? p->table[table_position(p, node)] - 1 : -1;
}

int64_t pass_slot(Pass *p, Node *node) {
    int64_t found = pass_find(p, node);
    if (found >= 0) {
        return found;
    }
    Tensor **more = NULL;
    if (!make_room(p) || (node->n_out > 1 && !(more = mem_zalloc(more_bytes(node))))) {
        return -1;
    }
    p->table[table_position(p, node)] = p->n + 1;
    node_retain(node);
    p->slot[p->n] = (Slot){.node = node, .more = more};
    return p->n++;
}

Tensor **slot_grad(Slot *s, int out) { return out ? &s->more[out - 1] : &s->first; }

static uint64_t seq_at(const Pass *p, int64_t i) { return p->slot[p->heap[i]].node->seq; }

static void heap_swap(Pass *p, int64_t i, int64_t j) {
    int64_t t = p->heap[i];
    p->heap[i] = p->heap[j];
    p->heap[j] = t;
}

bool pass_queue(Pass *p, int64_t slot) {
    if (p->slot[slot].queued) {
        return true;
    }
    if (p->heap_n == p->heap_capacity) {
        int64_t wanted = p->heap_capacity ? p->heap_capacity * 2 : FIRST_SLOTS;
        int64_t *heap = regrown(p->heap, p->heap_n, p->heap_capacity, wanted, sizeof *heap);
        if (!heap) {
            return false;
        }
        p->heap = heap;
        p->heap_capacity = wanted;
    }
    p->slot[slot].queued = true;
    int64_t i = p->heap_n++;
    p->heap[i] = slot;
    for (; i > 0 && seq_at(p, (i - 1) / 2) < seq_at(p, i); i = (i - 1) / 2) {
        heap_swap(p, i, (i - 1) / 2);
    }
    return true;
}

int64_t pass_next(Pass *p) {
    if (p->heap_n == 0) {
        return -1;
    }
    int64_t top = p->heap[0];
    p->heap[0] = p->heap[--p->heap_n];
    for (int64_t i = 0;;) {
        int64_t child = 2 * i + 1;
        if (child >= p->heap_n) {
            break;
        }
        if (child + 1 < p->heap_n && seq_at(p, child + 1) > seq_at(p, child)) {
            child++;
        }
        if (seq_at(p, i) >= seq_at(p, child)) {
            break;
        }
        heap_swap(p, i, child);
        i = child;
    }
    return top;
}

/* True if nobody else can see t's memory, so that the pass may add into it. */
static bool is_ours(const Tensor *t, const Tensor *g) {
    return atomic_load(&t->refs) == 1 && atomic_load(&t->storage->refs) == 1 && !t->node &&
           !g->batching && t->dtype == g->dtype && tensor_is_contiguous(t);
}

bool pass_add(Pass *p, Node *node, int out, Tensor *g, bool create_graph) {
    int64_t i = pass_slot(p, node);
    if (i < 0 || !pass_queue(p, i)) {
        return false;
    }
    Tensor **slot = slot_grad(&p->slot[i], out);
    if (!*slot) {
        *slot = tensor_retain(g);
        return true;
    }
    if (!create_graph && is_ours(*slot, g)) {
        return t_add_(*slot, g) != NULL;
    }
    Tensor *sum = t_add(*slot, g);
    if (!sum) {
        return false;
    }
    tensor_release(*slot);
    *slot = tensor_retain(sum);
    return true;
}

static int by_seq(const void *a, const void *b, void *pass) {
    const Pass *p = pass;
    uint64_t x = p->slot[*(const int64_t *)a].node->seq, y = p->slot[*(const int64_t *)b].node->seq;
    return x < y ? -1 : x > y;
}

bool pass_find_needed(Pass *p) {
    /* Slots are appended while the list is walked: a breadth-first walk without recursion. */
    for (int64_t i = 0; i < p->n; i++) {
        Node *node = p->slot[i].node;
        for (int k = 0; k < node->n_in; k++) {
            if (node->in[k].node && pass_slot(p, node->in[k].node) < 0) {
                return false;
            }
        }
    }
    int64_t *order = mem_alloc((size_t)p->n * sizeof *order);
    if (!order) {
        return false;
    }
    for (int64_t i = 0; i < p->n; i++) {
        order[i] = i;
    }
    qsort_r(order, (size_t)p->n, sizeof *order, by_seq, p);
    /* A node's inputs have smaller numbers: they are settled before it. */
    for (int64_t i = 0; i < p->n; i++) {
        Slot *s = &p->slot[order[i]];
        s->needed = s->captured;
        for (int k = 0; k < s->node->n_in && !s->needed; k++) {
            Node *input = s->node->in[k].node;
            s->needed = input && p->slot[pass_find(p, input)].needed;
        }
    }
    mem_free(order, (size_t)p->n * sizeof *order);
    return true;
}
