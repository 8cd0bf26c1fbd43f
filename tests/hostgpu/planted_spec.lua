--- The checkers of tests/hostgpu find the mistakes in planted.cu, each in its build, and nothing in right kernels.

local folder = assert(os.getenv("TOCHA_BUILD"), "scripts/test sets TOCHA_BUILD") .. "/tests/hostgpu/planted_"

--- What planted_<checker> prints for a kernel, and whether it ended well.
local function run(checker, kernel, settings)
    local pipe = assert(io.popen(("env -u LD_PRELOAD %s %s%s %s 2>&1"):format(settings or "", folder, checker, kernel)))
    local text = pipe:read("a")
    return text, pipe:close() == true
end

local right = {sum = 2016, shift = 2, count = 256, copy = 0, shared = 0, ["one-after-another"] = 100}

for _, checker in ipairs {"plain", "bounds", "races"} do
    describe("kernels without mistakes (" .. checker .. ")", function()
        for kernel, result in pairs(right) do
            it(kernel, function()
                for _, order in ipairs {"forward", "reverse", "random:5"} do
                    local text, ok = run(checker, kernel, "HOSTGPU_ORDER=" .. order)
                    assert.are.equal(("done %d\n"):format(result), text)
                    assert.is_true(ok)
                end
            end)
        end
    end)
end

describe("a race is found", function()
    for _, kernel in ipairs {"sum-without-barrier", "shift-without-barrier", "count-without-atomic"} do
        it("in " .. kernel, function()
            local text, ok = run("races", kernel)
            assert.is_truthy(text:find("WARNING: ThreadSanitizer: data race", 1, true), text)
            assert.is_truthy(text:find("planted.cu:%d+"), text)
            assert.is_false(ok)
        end)
    end

    it("by another order of threads", function()
        assert.are.equal("done 2016\n", run("plain", "sum-without-barrier", "HOSTGPU_ORDER=reverse"))
        assert.are_not.equal("done 2016\n", run("plain", "sum-without-barrier", "HOSTGPU_ORDER=forward"))
    end)
end)

describe("an access beyond the end is found", function()
    for _, kernel in ipairs {"copy-beyond", "shared-beyond"} do
        it("in " .. kernel, function()
            local text, ok = run("bounds", kernel)
            assert.is_truthy(text:find("ERROR: AddressSanitizer", 1, true), text)
            assert.is_truthy(text:find("planted.cu:%d+"), text)
            assert.is_false(ok)
        end)
    end
end)

describe("threads that wait for each other in vain are found", function()
    it("at barriers", function()
        local text, ok = run("plain", "barrier-for-some")
        assert.is_truthy(text:find("wait at different barriers", 1, true), text)
        assert.is_false(ok)
    end)

    it("at warp operations", function()
        local text, ok = run("plain", "warp-without-all")
        assert.is_truthy(text:find("deadlock", 1, true), text)
        assert.is_false(ok)
    end)
end)
