--- Which dtype two operands make: PyTorch's table, and Lua's numbers as Python's.

local tocha = require "tocha"
local references = require "tests.harness.references"

local tensors, metadata = tocha.load(references.folder .. "promotion.safetensors")
local dtypes = {}
for name in metadata.dtypes:gmatch("%S+") do
    dtypes[#dtypes + 1] = name
end

local function vector(dtype)
    return tocha.ones(2, {dtype = dtype})
end

local function scalar(dtype)
    return tocha.ones({}, {dtype = dtype})
end

local function name_at(t, i, j)
    return dtypes[t[{i, j}]:item() + 1]
end

describe("promotion", function()
    it("knows all dtypes", function()
        assert.are.equal(12, #dtypes)
    end)

    for i, a in ipairs(dtypes) do
        it(a .. " with tensors of every dtype", function()
            for j, b in ipairs(dtypes) do
                local expected = name_at(tensors.tensors, i, j)
                assert.are.equal(expected, (vector(a) + vector(b)).dtype, b)
                assert.are.equal(expected, (scalar(a) + scalar(b)).dtype, b .. " (both 0-dim)")
                assert.are.equal(expected, tocha.where(tocha.tensor {true, false}, vector(a), vector(b)).dtype, b)
                assert.are.equal(expected, tocha.cat({vector(a), vector(b)}).dtype, b .. " (cat)")
                assert.are.equal("bool", vector(a):eq(vector(b)).dtype)
            end
        end)

        it(a .. " with 0-dim tensors of every dtype", function()
            for j, b in ipairs(dtypes) do
                local expected = name_at(tensors.scalar, i, j)
                assert.are.equal(expected, (vector(a) + scalar(b)).dtype, b)
                assert.are.equal(expected, (scalar(b) + vector(a)).dtype, b .. " (0-dim first)")
            end
        end)

        it(a .. " with numbers", function()
            assert.are.equal(name_at(tensors.numbers, i, 1), (vector(a) + 1).dtype)
            assert.are.equal(name_at(tensors.numbers, i, 1), (1 + vector(a)).dtype)
            assert.are.equal(name_at(tensors.numbers, i, 2), (vector(a) + 1.5).dtype)
            assert.are.equal(name_at(tensors.numbers, i, 2), (1.5 + scalar(a)).dtype)
        end)
    end

    it("values survive it", function()
        local small, big = tocha.tensor({200}, {dtype = "uint8"}), tocha.tensor({-100}, {dtype = "int8"})
        assert.are.same({100}, (small + big):tolist())
        assert.are.same({2 ^ 40 + 1}, (tocha.tensor({1 << 40}) + tocha.tensor({1.0}, {dtype = "float64"})):tolist())
    end)

    it("divides integers as floats, and keeps // and % whole", function()
        assert.are.equal("float32", (tocha.tensor {7} / tocha.tensor {2}).dtype)
        assert.are.equal("int64", (tocha.tensor {7} // tocha.tensor {2}).dtype)
        assert.are.equal("int64", (tocha.tensor {7} % tocha.tensor {2}).dtype)
        assert.are.equal("float64", (tocha.tensor {7} / tocha.tensor({2}, {dtype = "float64"})).dtype)
    end)

    it("follows the default dtype where integers become floats", function()
        finally(function() tocha.set_default_dtype("float32") end)
        tocha.set_default_dtype("float64")
        assert.are.equal("float64", (tocha.tensor {7} / 2).dtype)
        assert.are.equal("float64", tocha.tensor({4}):sqrt().dtype)
        assert.are.equal("float64", tocha.tensor({0.5}).dtype)
        assert.are.equal("float64", tocha.zeros(2).dtype)
    end)
end)
