--- Methods that give a tensor another shape in place, and copies of what views show.

local core = require "tocha.core"
local options = require "tocha.options"
local raise = require "tocha.raise"

local reshaping = {}

local function check_changeable(name, x)
    if x.is_leaf and x.requires_grad and core.is_grad_enabled() then
        raise("%s: a leaf that requires grad must not be changed in place while recording; do it inside tocha.no_grad",
            name)
    end
end

--- Gives methods the in-place form of every view that keeps all elements.
local function add_views(methods)
    for _, name in ipairs {"as_strided", "squeeze", "swapdims", "t", "transpose", "unsqueeze"} do
        local view = methods[name]
        methods[name .. "_"] = function(x, ...)
            local seen = view(x, ...)
            check_changeable(name .. "_", x)
            return core._replace(x, seen)
        end
        core[name .. "_"] = methods[name .. "_"]
    end
end

--- Copies of what views show.
local function add_copies()
    for _, name in ipairs {"as_strided", "detach", "diagonal", "expand", "permute", "select", "slice", "squeeze", "t",
        "transpose", "unfold", "unsqueeze", "view", "view_as_complex", "view_as_real"} do
        local view = core[name] or core.methods[name]
        core[name .. "_copy"] = function(...) return view(...):clone() end
    end
    core.alias_copy = core.clone
    for name, cut in pairs {split_copy = core.split, split_with_sizes_copy = core.split, unbind_copy = core.unbind} do
        core[name] = function(...)
            local list = cut(...)
            for i, piece in ipairs(list) do
                list[i] = piece:clone()
            end
            return list
        end
    end
end

--- Gives x other sizes in place. The first elements in row-major order stay; those that are new are not set. Memory
--- is kept where it is enough and x is contiguous, else x gets memory of its own, and what has viewed it before goes
--- on to view the old.
--- ...: the sizes, or a list of them. Error where x requires grad.
local function resize(x, ...)
    if options.tensor("resize_", "input", x).requires_grad then
        raise("resize_: a tensor that requires grad cannot change its number of elements; use detach() first")
    end
    local sizes = type(...) == "table" and ... or {...}
    local _, count = options.shape("resize_", sizes)
    local have = x:numel()
    if count <= have and x:is_contiguous() then
        return core._replace(x, x:detach():view(-1):slice(1, 1, count):view(sizes))
    end
    local larger = core.empty(sizes, {dtype = x.dtype, device = x.device})
    local kept = math.min(count, have)
    if kept > 0 then
        larger:view(-1):slice(1, 1, kept):copy_(x:detach():reshape(-1):slice(1, 1, kept))
    end
    return core._replace(x, larger)
end

--- Puts what f gives for the elements into x, in row-major order.
local function fill_by(name, x, f, others)
    if type(f) ~= "function" then
        raise("%s: callable must be a function, got %s", name, options.describe(f))
    end
    if x.requires_grad then
        raise("%s: no gradient flows through a Lua function; use it on detach()", name)
    end
    local list = x:reshape(-1):tolist()
    for i, value in ipairs(list) do
        local result = f(value, others and others[i])
        if result == nil then
            raise("%s: callable gave nil for element %d", name, i)
        end
        list[i] = result
    end
    return #list > 0 and x:copy_(core.tensor(list, {dtype = x.dtype}):view(x:size())) or x
end

--- Adds the methods to the tensors'.
function reshaping.install(methods)
    add_views(methods)
    add_copies()

    methods.resize_ = resize

    --- Gives x the sizes of other in place: resize_.
    function methods.resize_as_(x, other)
        return resize(options.tensor("resize_as_", "input", x), options.tensor("resize_as_", "other", other):size())
    end

    --- Puts f(element) in the place of each element, one after the other in row-major order, and gives x: slow, for
    --- what no operator does.
    function methods.apply_(x, f)
        return fill_by("apply_", x, f)
    end

    --- Puts f(element, element of other) in the place of each element of x, and gives x; other is broadcast.
    function methods.map_(x, other, f)
        options.tensor("map_", "tensor", other)
        return fill_by("map_", x, f, other:expand(x:size()):reshape(-1):tolist())
    end

    --- Sets all elements to zero, and gives x.
    function methods.zero_(x)
        return x:fill_(0)
    end
end

return reshaping
