/* Short rows in order: several of them in the shared memory of a block, by a bitonic network. No
 * two entries of a row are equal, since places count too: so the result is stable. */
#include "gpu/sort.cuh"

namespace {

/* A key of 32 bits stands above its place in one number. */
template <class K> struct Entry;
template <> struct Entry<uint32_t> {
    uint64_t both;
    static __device__ Entry of(uint64_t key, uint32_t place) { return Entry{key << 32 | place}; }
    __device__ uint64_t key() const { return both >> 32; }
    __device__ uint32_t place() const { return (uint32_t)both; }
    __device__ bool before(const Entry &other) const { return both < other.both; }
};
template <> struct Entry<uint64_t> {
    uint64_t own_key, own_place;
    static __device__ Entry of(uint64_t key, uint32_t place) { return Entry{key, place}; }
    __device__ uint64_t key() const { return own_key; }
    __device__ uint32_t place() const { return (uint32_t)own_place; }
    __device__ bool before(const Entry &other) const {
        return own_key < other.own_key || (own_key == other.own_key && own_place < other.own_place);
    }
};

struct Block {
    Rows r;
    Entries from;           /* key NULL: from the rows themselves */
    Entries to;             /* key NULL: to the results */
    int n, padded, abreast; /* entries of a row, the power of 2 above, and rows of a block */
};

} // namespace

template <class K> __device__ Entry<K> load_entry(const Block &b, int64_t row, int i) {
    if (b.from.key) {
        int64_t at = row * b.n + i;
        return Entry<K>::of(((const K *)b.from.key)[at], b.from.place[at]);
    }
    int64_t base[AXIS_OPERANDS] = {0, 0, 0};
    locate(b.r.kept, row, base);
    return Entry<K>::of(row_key(b.r, base, i), (uint32_t)i);
}

template <class E> __device__ void sort_shared(const Block &b, E *entry) {
    int pairs = b.padded * b.abreast / 2;
    for (int size = 2; size <= b.padded; size *= 2) {
        for (int apart = size / 2; apart > 0; apart /= 2) {
            __syncthreads();
            for (int p = (int)threadIdx.x; p < pairs; p += (int)blockDim.x) {
                int i = 2 * p - (p & (apart - 1)), j = i + apart;
                bool up = (i & (b.padded - 1) & size) == 0;
                E first = entry[i], second = entry[j];
                if (second.before(first) == up) {
                    entry[i] = second;
                    entry[j] = first;
                }
            }
        }
    }
    __syncthreads();
}

/* How many of a row's entries in order have keys below key. */
template <class E> __device__ int count_below(const E *entry, int n, uint64_t key) {
    int low = 0;
    while (n > 0) {
        int half = n / 2;
        bool below = entry[low + half].key() < key;
        low += below ? half + 1 : 0;
        n = below ? n - half - 1 : half;
    }
    return low;
}

template <class E> __device__ int wanted_rank(const Block &b, const E *entry) {
    uint64_t nan;
    if (b.r.wanted == RANK) {
        return (int)b.r.k;
    }
    int numbers = nan_key(b.r.dtype, &nan) ? count_below(entry, b.n, nan) : b.n;
    bool skip = b.r.wanted == NAN_MEDIAN && numbers > 0;
    return numbers == b.n || skip ? (numbers - 1) / 2 : numbers;
}

/* Entry i of a row in order. */
template <class K, class E>
__device__ void store_entry(const Block &b, int64_t row, int i, const E *entry) {
    int64_t base[AXIS_OPERANDS] = {0, 0, 0};
    if (b.to.key) {
        ((K *)b.to.key)[row * b.n + i] = (K)entry[i].key();
        b.to.place[row * b.n + i] = entry[i].place();
        return;
    }
    locate(b.r.kept, row, base);
    if (b.r.wanted == FIRST_FEW) {
        if (i < b.r.k) {
            store_result(b.r, base, i, entry[i].place());
        }
    } else if (i == 0) {
        store_result(b.r, base, 0, entry[wanted_rank(b, entry)].place());
    }
}

template <class K> __global__ void sort_kernel(Block b) {
    typedef Entry<K> E;
    TOCHA_DYNAMIC_SHARED(E, entry);
    int64_t first = blockIdx.x * (int64_t)b.abreast;
    int entries = b.padded * b.abreast;
    for (int e = (int)threadIdx.x; e < entries; e += (int)blockDim.x) {
        int64_t row = first + e / b.padded;
        int i = e % b.padded;
        bool valid = i < b.n && row < b.r.rows;
        entry[e] = valid ? load_entry<K>(b, row, i) : E::of(UINT64_MAX, UINT32_MAX);
    }
    sort_shared(b, entry);
    for (int e = (int)threadIdx.x; e < entries; e += (int)blockDim.x) {
        int64_t row = first + e / b.padded;
        int i = e % b.padded;
        if (i < b.n && row < b.r.rows) {
            store_entry<K>(b, row, i, entry + (e - i));
        }
    }
}

template <class K> static void start(const KernelCall *c, const Block &b) {
    int entries = b.padded * b.abreast, threads = entries / 2 < THREADS ? entries / 2 : THREADS;
    threads = threads < 32 ? 32 : threads;
    dim3 grid((unsigned)divide_up(b.r.rows, b.abreast));
    launch(launch_of(c, grid, dim3((unsigned)threads), (size_t)entries * sizeof(Entry<K>)),
           sort_kernel<K>, b);
}

void rows_sort_block(const KernelCall *c, const Rows *r, const Entries *from, const Entries *to) {
    Block b = Block();
    b.r = *r;
    b.from = from ? *from : Entries();
    b.to = to ? *to : Entries();
    b.n = (int)(from ? from->n : r->n);
    b.padded = 1;
    while (b.padded < b.n) {
        b.padded *= 2;
    }
    int most = (int)BLOCK_ROW / b.padded;
    b.abreast = r->rows < most ? (int)r->rows : most;
    if (keys_are_wide(r->dtype)) {
        start<uint64_t>(c, b);
    } else {
        start<uint32_t>(c, b);
    }
}
