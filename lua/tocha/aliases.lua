--- Second names of operators: a name and the operator that it means. The in-place form goes with it.

local aliases = {}

--- Second name to the name in the operator table.
aliases.names = {
    absolute = "abs",
    arccos = "acos",
    arccosh = "acosh",
    arcsin = "asin",
    arcsinh = "asinh",
    arctan = "atan",
    arctan2 = "atan2",
    arctanh = "atanh",
    argwhere = "nonzero",
    clip = "clamp",
    concat = "cat",
    concatenate = "cat",
    divide = "div",
    fix = "trunc",
    ger = "outer",
    greater = "gt",
    greater_equal = "ge",
    less = "lt",
    less_equal = "le",
    moveaxis = "movedim",
    native_channel_shuffle = "channel_shuffle",
    multiply = "mul",
    negative = "neg",
    not_equal = "ne",
    range = "arange",
    row_stack = "vstack",
    subtract = "sub",
    swapaxes = "swapdims",
    true_divide = "div",
    unsafe_chunk = "chunk",
    unsafe_split = "split",
}

local function add(names, alias, name)
    for _, mark in ipairs {"", "_"} do
        if names[name .. mark] and not names[alias .. mark] then
            names[alias .. mark] = names[name .. mark]
        end
    end
end

--- Puts the second names into core and into the tensors' methods.
function aliases.install(core)
    for alias, name in pairs(aliases.names) do
        assert(core[name], name)
        add(core, alias, name)
        add(core.methods, alias, name)
    end
end

return aliases
