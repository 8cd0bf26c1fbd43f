--- The graphs that the backend records for cuDNN, offered to the real library with the description of a GPU that need
--- not be there. What the stand-in would take and cuDNN would not is found here.

local module = os.getenv("TOCHA_HOSTGPU")

describe("cuDNN", function()
    if not module then
        pending("is asked in the build of tests/hostgpu alone")
        return
    end

    it("makes a plan of every graph that convolution and attention record", function()
        local program = module:gsub("[^/]+$", "") .. "../../tests/gpu/plans"
        -- What NVIDIA's libraries hold at their end is theirs.
        local pipe = assert(io.popen(("ASAN_OPTIONS=detect_leaks=0 '%s' tests/gpu/h200.json 2>&1"):format(program)))
        local text = pipe:read("a")
        local ended = pipe:close()
        local missing = text:match("^skip ([^\n]+)")
        if missing then
            pending("not asked: " .. missing)
            return
        end
        local wrong = {}
        for line in text:gmatch("[^\n]+") do
            if not line:find("^ok ") then
                wrong[#wrong + 1] = line
            end
        end
        assert.are.same({}, wrong)
        assert.is_true(ended, text)
        local _, attention = text:gsub("ok attention [^\n]+", "")
        local _, gradients = text:gsub("ok gradients of attention [^\n]+", "")
        assert.equal(6 * 2, attention)
        assert.equal(6 * 3, gradients)
        local _, good = text:gsub("ok [^\n]+", "")
        assert.is_true(good >= 13 * 6 * 4, "only " .. good .. " graphs")
    end)
end)
