--- scripts/bench gpu: its table, with small sizes on the stand-in, whose times mean nothing.

local root = os.getenv("TOCHA_ROOT") or "."
local build = os.getenv("TOCHA_BUILD") or root .. "/build"
local python = os.getenv("PYTHON") or "python3"

local function run(settings)
    local command = "env -u LD_PRELOAD %s %s '%s/scripts/benchmarks/compare_gpu.py' '%s/bin/tocha' 2>&1"
    local pipe = assert(io.popen(command:format(settings, python, root, build)))
    local text = pipe:read("a")
    return text, pipe:close() == true
end

if not os.execute("command -v " .. python .. " >/dev/null") then
    return
end

describe("scripts/bench gpu", function()
    if os.getenv("TOCHA_HOSTGPU") then
        it("prints a line for each measurement", function()
            local text, ok = run("TOCHA_BENCH_SMALL=1")
            assert.is_true(ok, text)
            for _, what in ipairs {"submitting an add", "per node", "copy of 256 MiB", "softmax", "product, 8192"} do
                assert.is_truthy(text:find(what .. "[^\n]* [%d.]+ [num ]s"), text)
            end
            assert.is_truthy(text:find("copy of 256 MiB[^\n]* 100.0 %%"), text)
            assert.is_truthy(text:find("MNIST CNN", 1, true), text)
        end)
    end

    it("says that there is no device where there is none", function()
        local text, ok = run("-u TOCHA_HOSTGPU CUDA_VISIBLE_DEVICES=")
        if not ok then
            assert.is_truthy(text:find("^bench: there is no device: %w[^\n]+\n$"), text)
        end
    end)
end)
