--- Tables of operators under short names: tocha.linalg.inv is tocha.linalg_inv.

local namespace = {}

--- A table that maps the short name of every operator prefix_name to the operator. core: tocha's main module; extra:
--- a list of operators that are in the table under their own names.
function namespace.names(core, prefix, extra)
    local names = {}
    for _, row in ipairs(core._op_table()) do
        local short = row.public_name:match("^" .. prefix .. "_(.+)$")
        if short then
            names[short] = core[row.public_name]
        end
    end
    for _, name in ipairs(extra or {}) do
        names[name] = core[name]
    end
    return names
end

return namespace
