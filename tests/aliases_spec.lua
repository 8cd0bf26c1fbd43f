--- Second names of operators.

local tocha = require "tocha"
local aliases = require "tocha.aliases"

describe("aliases", function()
    local rows = {}
    for _, row in ipairs(tocha._op_table()) do
        rows[row.public_name] = row
    end

    for alias, name in pairs(aliases.names) do
        it(alias .. " is " .. name, function()
            assert.is_nil(rows[alias], "an operator has that name already")
            assert.are.equal(tocha[name], tocha[alias])
            assert.are.equal(tocha.ones(1)[name], tocha.ones(1)[alias])
            assert.are.equal(tocha[name .. "_"], tocha[alias .. "_"])
        end)
    end

    it("have their operator's help", function()
        local shown
        local original = print
        rawset(_G, "print", function(text) shown = text end)
        local ok, problem = pcall(tocha.help, "concat")
        rawset(_G, "print", original)
        assert(ok, problem)
        assert.matches("^cat%(Tensors tensors", shown)
    end)
end)
