--- Walks the operator table and fails every allocation of a call, and of its backward, in turn.
---
--- Every failure costs a full collection, so each family of operators runs in a process of its own, which holds no
--- samples but its own.

local cases = require "tests.harness.cases"

local results = {}

--- Runs a family in a process of its own; what it prints is "operator<tab>comparisons<tab>problems" lines.
local function run_family(family)
    local code = ('require("tests.harness.memory").run_family("%s")'):format(family)
    local pipe = assert(io.popen(("lua5.4 -e '%s' 2>&1"):format(code)))
    local text = pipe:read("a")
    local ended = pipe:close()
    for name, done, problems in text:gmatch("([^\t\n]+)\t(%d+)\t([^\n]*)\n") do
        results[name] = {done = tonumber(done), problems = problems}
    end
    return ended, text
end

describe("operator", function()
    local families = {}

    for _, op in ipairs((cases.ops())) do
        if op.entry then
            it(op.name .. ": failing allocations", function()
                if not families[op.family] then
                    families[op.family] = {run_family(op.family)}
                end
                local ended, text = table.unpack(families[op.family])
                local result = results[op.name]
                assert(ended and result, text)
                assert.are.equal("", result.problems)
                assert.is_true(result.done > 0)
            end)
        end
    end
end)
