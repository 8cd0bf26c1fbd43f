--- Second names of operators: a name and the operator that it means. The in-place form goes with it.

local aliases = {}

--- Second name to the name in the operator table.
aliases.names = {
    argwhere = "nonzero",
    concat = "cat",
    concatenate = "cat",
    ger = "outer",
    moveaxis = "movedim",
    range = "arange",
    row_stack = "vstack",
    swapaxes = "swapdims",
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
