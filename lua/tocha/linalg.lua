--- The names of tocha.linalg: tocha.linalg.inv is tocha.linalg_inv.

local linalg = {}

--- A table that maps the short name of every operator linalg_name to the operator. core: tocha's main module.
function linalg.names(core)
    local names = {}
    for _, row in ipairs(core._op_table()) do
        local short = row.public_name:match("^linalg_(.+)$")
        if short then
            names[short] = core[row.public_name]
        end
    end
    for _, name in ipairs {"diagonal", "matmul"} do
        names[name] = core[name]
    end
    return names
end

return linalg
