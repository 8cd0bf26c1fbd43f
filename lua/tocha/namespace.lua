--- Tables of operators under short names: tocha.linalg.inv is tocha.linalg_inv.

local namespace = {}

--- A table that maps the short name of every operator prefix_name to the operator. core: tocha's main module; extra:
--- a list of operators that are in the table under their own names.
function namespace.names(core, prefix, extra)
    local names, pattern = {}, "^" .. prefix .. "_(.*[^_])$" -- no forms that write in place
    for name, f in pairs(core) do
        local short = name:match(pattern)
        if short then
            names[short] = f
        end
    end
    for _, name in ipairs(extra or {}) do
        names[name] = core[name]
    end
    return names
end

return namespace
