--- PyTorch's names against Tocha's: scripts/coverage without PyTorch.

local root = os.getenv "TOCHA_ROOT" or "."

local function run(mode)
    local command = "lua5.4 '%s/scripts/names/coverage.lua' '%s/scripts/names' %s 2>&1"
    local pipe = assert(io.popen(command:format(root, root, mode)))
    local text = pipe:read "a"
    return text, (pipe:close())
end

describe("the names that PyTorch documents", function()
    it("are there, all but one in twenty; what is said of the others is true", function()
        local text, ok = run "missing"
        assert(ok, text)
        local share = tonumber(text:match "coverage (%d+%.%d) %%\n$")
        assert(share and share >= 95, text)
    end)

    it("are each here, apart or left out for a reason", function()
        local text = run "all"
        local states = {here = 0, apart = 0, ["left out"] = 0, missing = 0}
        for line in text:gmatch "[^\n]+" do
            local name, rest = line:match "^([%w.]+%.[%w_]+) +(.+)$"
            if name then
                for state in pairs(states) do
                    states[state] = states[state] + (rest:find("^" .. state) and 1 or 0)
                end
            end
        end
        local documented = tonumber(text:match "together +(%d+)")
        assert.equal(documented, states.here + states.apart + states["left out"] + states.missing)
        assert.equal(0, states.missing)
        assert(states.here > 1000 and states.apart > 50)
    end)
end)
