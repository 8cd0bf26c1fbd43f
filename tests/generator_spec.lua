--- Random generators.

local tocha = require "tocha"
local expect = require "tests.support.expect"

local function same(a, b)
    return tocha.equal(a, b)
end

local function refuses(pattern, f)
    assert.matches(pattern, expect.message(f))
end

describe("Generator", function()
    it("has a stream of its own", function()
        local g = tocha.Generator():manual_seed(3)
        tocha.manual_seed(3)
        local first = tocha.rand(5)
        tocha.rand(7)
        local drawn = tocha.rand(5, {generator = g})
        assert.is_true(same(first, drawn))
        assert.is_false(same(first, tocha.rand(5, {generator = g})))
        tocha.manual_seed(3)
        tocha.rand(5, {generator = g})
        assert.is_true(same(first, tocha.rand(5)))
    end)

    it("serves every operator that draws from a distribution", function()
        local without = {}
        for _, row in ipairs(tocha._op_table()) do
            local drops = row.name:find "dropout" or row.name:find "rrelu" or row.name:find "mask" or
                row.name:find "lowrank"
            if row.random and not drops and not row.signature:find("generator? generator", 1, true) then
                without[#without + 1] = row.name
            end
        end
        assert.are.same({}, without)
    end)

    it("gives its state and takes it back", function()
        local g = tocha.Generator("cpu"):manual_seed(11)
        assert.are.equal(11, g:initial_seed())
        tocha.randn(9, {generator = g})
        local state = g:get_state()
        local a = tocha.randperm(10, {generator = g})
        assert.is_true(same(a, tocha.randperm(10, {generator = g:set_state(state)})))
        local other = tocha.Generator():set_state(state)
        assert.is_true(same(a, tocha.randperm(10, {generator = other})))
        assert.are.equal("cpu", g:device())
        assert.are.equal("Generator(cpu)", tostring(g))
    end)

    it("is seeded differently each time", function()
        local g, h = tocha.Generator(), tocha.Generator()
        assert.are_not.equal(g:initial_seed(), h:initial_seed())
        local seed = g:seed()
        assert.are.equal(seed, g:initial_seed())
        assert.is_true(seed >= 0)
    end)

    it("is there for the default stream too", function()
        assert.are.equal(tocha.default_generator, tocha.manual_seed(8))
        local a = tocha.rand(3)
        tocha.default_generator:manual_seed(8)
        assert.is_true(same(a, tocha.rand(3)))
        local seed = tocha.seed()
        assert.are.equal(seed, tocha.initial_seed())
        assert.are.same(tocha.get_rng_state(), tocha.default_generator:get_state())
    end)

    it("is checked where it is given", function()
        refuses("rand: generator must be a generator .*got 5", function() tocha.rand(2, {generator = 5}) end)
        refuses("Generator: device must be .*got \"gpu\"", function() tocha.Generator "gpu" end)
        refuses("manual_seed: the seed must be an integer, got \"a\"", function() tocha.Generator():manual_seed "a" end)
        refuses("set_state: expected a state", function() tocha.Generator():set_state(3) end)
        refuses("set_state: the second entry must be an integer", function() tocha.Generator():set_state {1} end)
        local g = tocha.Generator()
        getmetatable(g).__gc(g)
        refuses("rand: generator must be a generator", function() tocha.rand(2, {generator = g}) end)
        refuses("seed: expected a generator", function() g:seed() end)
    end)
end)

describe("fork_rng", function()
    it("puts the state back, whether its function returns or fails", function()
        tocha.manual_seed(1)
        local expected = tocha.rand(2)
        tocha.manual_seed(1)
        local a, b = tocha.fork_rng(function(n)
            tocha.manual_seed(99)
            return tocha.rand(n), "b"
        end, 4)
        assert.are.equal(4, a:numel())
        assert.are.equal("b", b)
        assert.is_false(pcall(tocha.fork_rng, function()
            tocha.rand(3)
            error "on purpose"
        end))
        assert.is_true(same(expected, tocha.rand(2)))
    end)
end)
