--- Programs that call the Lua libraries and read damaged files.

local tocha = require "tocha"
local data = require "data"
local nn = require "nn"
local optim = require "optim"
local train = require "train"
local checks = require "tests.fuzz.checks"
local values = require "tests.fuzz.values"

local libraries = {}

local random, chance, pick = math.random, values.chance, values.pick

--- What these do reaches beyond the process, or they are for scripts only.
local left_out = {mnist = true, mnist_download = true, describe_arguments = true, parse_arguments = true,
    progress = true, no_grad = true, enable_grad = true, inference_mode = true, set_grad_enabled = true,
    detect_anomaly = true, set_detect_anomaly = true}

local function is_callable(v)
    local meta = getmetatable(v)
    return type(v) == "function" or type(v) == "table" and type(meta) == "table" and meta.__call ~= nil
end

local functions = {}
for library, members in pairs {nn = nn, functional = nn.functional, init = nn.init, optim = optim, data = data,
    train = train, func = tocha.func, autograd = tocha.autograd} do
    for name, f in pairs(members) do
        if type(name) == "string" and not name:find "^_" and not left_out[name] and is_callable(f) then
            functions[#functions + 1] = {library .. "." .. name, f}
        end
    end
end
table.sort(functions, function(a, b) return a[1] < b[1] end)

local makers = {
    function() return random(0, 5) end,
    function() return random() end,
    function() return values.tensor({random(0, 3), random(4), 5, 5}, "float32") end,
    function() return values.tensor({3, 4}, "float32") end,
    function() return nn.Linear(4, 3) end,
    function() return {nn.Parameter(tocha.ones(3))} end,
    function() return tocha.ones(3, {dtype = "float64"}):requires_grad_() end,
    values.junk,
    values.junk,
}

local function argument()
    return pick(makers)()
end

local function use(made)
    if type(made) == "function" then
        made(argument(), argument())
    elseif type(made) ~= "table" then
        return
    elseif type(made.forward) == "function" then
        made(argument(), argument())
        made:load_state_dict(argument())
    elseif type(made.step) == "function" then
        made:step()
        made:zero_grad()
        made:load_state_dict(argument())
    end
end

--- Functions for those that call what they are given: of tensors, so that errors are about the caller.
local mapped = {tocha.exp, tocha.sum, function(...) return ... end}

function libraries.library()
    local entry, args = pick(functions), {n = random(0, 4)}
    local calls = entry[1]:find("^func%.") or entry[1]:find("^autograd%.")
    for i = 1, args.n do
        args[i] = argument()
        if calls and (type(args[i]) == "function" or i == 1 and chance(0.8)) then
            args[i] = pick(mapped)
        end
    end
    return checks.any, function()
        use(entry[2](table.unpack(args, 1, args.n)))
    end, {entry[1], args}
end

local sizes = {"0", "-1", "4294967296", "9223372036854775807", "18446744073709551616", "1e400", "null", "[]"}

local damages = {
    function(s, at) return s:sub(1, at - 1) .. string.char(random(0, 255)) .. s:sub(at + 1) end,
    function(s, at) return s:sub(1, at) end,
    function(s, at) return s:sub(1, at) .. s:sub(at) end,
    function(s) return (s:gsub("%d+", function() return chance(0.1) and pick(sizes) or nil end)) end,
    function(s, at) return s:sub(1, at) .. ("["):rep(random(1, 20000)) .. s:sub(at + 1) end,
    function(s) return string.pack("<i8", chance(0.5) and random(0, 1000) or values.integer()) .. s:sub(9) end,
}

--- A tensor of a dtype that files hold.
local function storable(shape)
    local x = values.tensor(shape):detach()
    return x.dtype == "complex128" and x:cfloat() or x
end

local function damaged_file(path)
    local tree = chance(0.6) and {storable({2}), "text", 1.5, 0 / 0} or nil
    tocha.save(path, {a = storable(), b = tree})
    local file = assert(io.open(path, "rb"))
    local content = file:read "a"
    file:close()
    for _ = 1, random(3) do
        content = pick(damages)(content, random(math.min(#content, 500)))
    end
    file = assert(io.open(path, "wb"))
    file:write(content)
    file:close()
end

function libraries.file()
    return {load = true}, function()
        local path <close> = setmetatable({os.tmpname()}, {__close = function(t) os.remove(t[1]) end})
        damaged_file(path[1])
        return tocha.load(path[1])
    end, {}
end

return libraries
