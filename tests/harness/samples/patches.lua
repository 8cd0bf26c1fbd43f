--- Samples of patches.

local values = require "tests.harness.values"

local random = values.random

local function small(...)
    return random {low = -2, high = 2, ...}
end

local function append(list, more)
    return table.move(more, 1, #more, #list + 1, list)
end

local function with(a, b)
    local all = {}
    for _, fields in ipairs {a, b or {}} do
        for key, value in pairs(fields) do
            all[key] = value
        end
    end
    return all
end

local patches = {
    {{1, 2, 4, 5}, {1, 8, 12}, {kernel_size = 2}},
    {{2, 5, 4}, {12, 9}, {kernel_size = {3, 2}, padding = {1, 0}, stride = {2, 1}}},
    {{1, 1, 5, 6}, {1, 4, 6}, {kernel_size = 2, dilation = {2, 3}, stride = 2, padding = {0, 1}}},
    {{0, 1, 3, 3}, {0, 4, 4}, {kernel_size = 2}},
}

local function taken_apart()
    local list = {torch = "F.unfold(input, kernel_size, dilation, padding, stride)"}
    for _, p in ipairs(patches) do
        list[#list + 1] = {with({input = small(table.unpack(p[1]))}, p[3])}
    end
    return append(list, {
        {{input = small(1, 1, 2, 2), kernel_size = 3}, error = "im2col: the kernel does not fit"},
        {{input = small(2, 2), kernel_size = 1}, error = "im2col: input must be"},
        {{input = small(), kernel_size = 1}, error = "im2col: input must be"},
        {{input = small(1, 1, 2, 2), kernel_size = 1, stride = 0}, error = "im2col: stride must be between 1"},
    })
end

local function put_together()
    local list = {torch = "F.fold(input, output_size, kernel_size, dilation, padding, stride)"}
    for _, p in ipairs(patches) do
        local size = {p[1][#p[1] - 1], p[1][#p[1]]}
        list[#list + 1] = {with({input = small(table.unpack(p[2])), output_size = size}, p[3])}
    end
    return append(list, {
        {{input = small(1, 5, 4), output_size = {3, 3}, kernel_size = 2},
            error = "col2im: dim 2 of input 1x5x4 must be"},
        {{input = small(1, 4, 5), output_size = {3, 3}, kernel_size = 2}, error = "col2im: an image of 3x3 has 2x2"},
        {{input = small(), output_size = {3, 3}, kernel_size = 2}, error = "col2im: input must be"},
    })
end

return {
    im2col = taken_apart(),
    col2im = put_together(),
}
