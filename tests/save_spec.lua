local tocha = require "tocha"
local nn = require "nn"

local folder

local function path(name)
    return folder .. "/" .. name
end

local function write(name, bytes)
    local file = assert(io.open(path(name), "wb"))
    file:write(bytes)
    file:close()
    return path(name)
end

local function read(name)
    local file = assert(io.open(path(name), "rb"))
    local bytes = file:read("a")
    file:close()
    return bytes
end

--- A file with that header and data.
local function container(header, data)
    return string.pack("<I8", #header) .. header .. (data or "")
end

local function list_folder()
    local names = {}
    for name in io.popen("ls -A " .. folder):lines() do
        names[#names + 1] = name
    end
    return names
end

--- Calls a function that must raise an error and returns its message.
local function message(fn, ...)
    local ok, text = pcall(fn, ...)
    assert.is_false(ok)
    return text
end

local function round_trip(value)
    tocha.save(path "x.safetensors", value)
    return tocha.load(path "x.safetensors")
end

setup(function()
    folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir " .. folder))
end)

teardown(function()
    os.execute("rm -rf " .. folder)
end)

describe("save and load", function()
    it("bring back a table of tensors of every dtype", function()
        local given = {}
        for _, dtype in ipairs {"uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32",
            "float64"} do
            given[dtype] = tocha.tensor({{1, 2, 3}, {4, 5, 6}}, {dtype = dtype})
        end
        given.bool = tocha.tensor({true, false, true})
        given["a.b"] = tocha.tensor(2.5)
        given.empty = tocha.tensor({}, {dtype = "int32"})
        local back, metadata = round_trip(given)
        assert.same({}, metadata)
        for name, tensor in pairs(given) do
            assert.equal(tensor.dtype, back[name].dtype)
            assert.is_true(tensor:equal(back[name]), name)
            back[name] = nil
        end
        assert.is_nil(next(back))
    end)

    it("keep bits such as nan, inf and -0", function()
        local x = tocha.tensor({0 / 0, 1 / 0, -1 / 0, -0.0, 5e-324}, {dtype = "float64"})
        local back = round_trip({x = x}).x
        assert.equal(x:_to_string(), back:_to_string())
    end)

    it("write the elements of views in row-major order", function()
        local x = tocha.tensor({{1, 2, 3}, {4, 5, 6}})
        local back = round_trip({t = x:t(), row = x[2], wide = x:narrow(2, 2, 2)})
        assert.same({{1, 4}, {2, 5}, {3, 6}}, back.t:tolist())
        assert.same({4, 5, 6}, back.row:tolist())
        assert.same({{2, 3}, {5, 6}}, back.wide:tolist())
        assert.is_true(back.t:is_contiguous())
    end)

    it("bring back what a checkpoint holds besides tensors", function()
        local given = {
            epoch = 3, lr = 0.1, tiny = 5e-324, large = math.maxinteger, small = math.mininteger, minus_zero = -0.0,
            inf = math.huge, minus_inf = -math.huge, name = "grün\n\0\"", bytes = "\255\0x", yes = true, no = false,
            list = {1, "two", false, {3.0}}, empty = {}, nested = {deep = {deeper = {[1.5] = "half", [-2] = "minus"}}},
            [10] = "ten", [true] = "true", ["\255"] = "no UTF-8", [""] = "empty",
        }
        local back = round_trip(given)
        assert.same(given, back)
        assert.equal("integer", math.type(back.epoch))
        assert.equal("float", math.type(back.list[4][1]))
        assert.equal(-math.huge, 1 / back.minus_zero)
        local nan = round_trip({x = 0 / 0}).x
        assert.is_true(nan ~= nan)
    end)

    it("tell integer keys from string keys and lists with holes from lists", function()
        local given = {a = {["1"] = "string", [1] = "integer"}, b = {[1] = "x", [3] = "y"}, c = {[0] = "zero", "one"}}
        assert.same(given, round_trip(given))
    end)

    it("name tensors by their path, without clashes", function()
        local one, two, three = tocha.tensor(1), tocha.tensor(2), tocha.tensor(3)
        local back = round_trip {["a.b"] = one, a = {b = two}, x = {["\255"] = three, ["?"] = one}, __metadata__ = two}
        assert.equal(1, back["a.b"]:item())
        assert.equal(2, back.a.b:item())
        assert.equal(3, back.x["\255"]:item())
        assert.equal(1, back.x["?"]:item())
        assert.equal(2, back.__metadata__:item())
        assert.truthy(read "x.safetensors":find('"a.b#2"', 1, true))
    end)

    it("take a single tensor or number", function()
        assert.equal(7, round_trip(tocha.tensor(7)):item())
        assert.equal(7, round_trip(7))
        assert.equal(false, round_trip(false))
    end)

    it("carry metadata for other programs", function()
        tocha.save(path "m.safetensors", {x = tocha.tensor(1), n = 1}, {format = "pt", note = "grün"})
        local value, metadata = tocha.load(path "m.safetensors")
        assert.equal(1, value.n)
        assert.same({format = "pt", note = "grün"}, metadata)
    end)

    it("write the same bytes for the same table", function()
        local value = {}
        for i = 1, 50 do
            value["key" .. i] = {tensor = tocha.tensor(i), number = i}
        end
        tocha.save(path "a.safetensors", value)
        local copy = {}
        for i = 50, 1, -1 do
            copy["key" .. i] = {number = i, tensor = tocha.tensor(i)}
        end
        tocha.save(path "b.safetensors", copy)
        assert.equal(read "a.safetensors", read "b.safetensors")
    end)

    it("detach tensors and leave the graph alone", function()
        local x = tocha.tensor({1.0, 2.0}, {requires_grad = true})
        local y = x * 2
        local back = round_trip({x = x, y = y})
        assert.is_false(back.y.requires_grad)
        y:sum():backward()
        assert.same({2.0, 2.0}, x.grad:tolist())
    end)

    it("bring a module's state back", function()
        local a, b = nn.Linear(3, 2), nn.Linear(3, 2)
        b:load_state_dict(round_trip(a:state_dict()))
        assert.is_true(a.weight:equal(b.weight))
        assert.is_true(a.bias:equal(b.bias))
    end)
end)

describe("save", function()
    it("refuses what cannot be saved and says where it stands", function()
        local loop = {}
        loop.inner = {loop}
        local file = path "refused.safetensors"
        assert.matches("save: cannot save a function at a%.b", message(tocha.save, file, {a = {b = print}}))
        assert.matches("save: the table at inner%.1 contains itself", message(tocha.save, file, loop))
        assert.matches("keys must be strings, numbers or booleans, got a table", message(tocha.save, file, {[{}] = 1}))
        assert.matches("cannot save an object at net; save its :state_dict%(%)",
            message(tocha.save, file, {net = nn.Linear(1, 1)}))
        assert.matches("path must be a string", message(tocha.save, {}, {}))
        assert.matches("metadata must hold strings", message(tocha.save, file, {}, {a = 1}))
        local deep = {}
        for _ = 1, 100 do
            deep = {deep}
        end
        assert.matches("nested more than 64 deep", message(tocha.save, file, deep))
        assert.is_nil(io.open(file))
    end)

    it("points at the user's line", function()
        local line = debug.getinfo(1, "l").currentline + 1
        local text = message(function() tocha.save(path "f", {print}) end)
        assert.matches("save_spec%.lua:" .. line .. ": save: ", text)
    end)

    it("names the file that cannot be written and leaves nothing behind", function()
        local before = list_folder()
        assert.matches("save: /nonexistent/x: No such file or directory",
            message(tocha.save, "/nonexistent/x", {tocha.tensor(1)}))
        assert.matches("something else than a file", message(tocha.save, folder, {tocha.tensor(1)}))
        assert.same(before, list_folder())
    end)

    it("keeps the old file until the new one is whole", function()
        local file = path "kept.safetensors"
        tocha.save(file, {x = tocha.tensor(1)})
        message(tocha.save, file, {x = print})
        assert.equal(1, tocha.load(file).x:item())
        tocha.save(file, {x = tocha.tensor(2)})
        assert.equal(2, tocha.load(file).x:item())
    end)

    it("writes through a link and keeps the file's permissions", function()
        local file = write("target.safetensors", "")
        os.execute("chmod 640 " .. file .. " && ln -s target.safetensors " .. path "link.safetensors")
        tocha.save(path "link.safetensors", {x = tocha.tensor(1)})
        assert.equal(1, tocha.load(file).x:item())
        local mode = io.popen("stat -c %a " .. file):read("l")
        assert.equal("640", mode)
        assert.equal("target.safetensors", io.popen("readlink " .. path "link.safetensors"):read("l"))
    end)
end)

--- A file of the Python package safetensors 0.8 with all dtypes, a scalar and an empty tensor.
local python_file =
    "38030000000000007b225f5f6d657461646174615f5f223a7b22666f726d6174223a227074222c226e6f7465223a226772c3bcc39f6522" ..
    "7d2c22742e696e743634223a7b226474797065223a22493634222c227368617065223a5b322c335d2c22646174615f6f66667365747322" ..
    "3a5b302c34385d7d2c22742e666c6f61743634223a7b226474797065223a22463634222c227368617065223a5b322c335d2c2264617461" ..
    "5f6f666673657473223a5b34382c39365d7d2c22656d707479223a7b226474797065223a22463332222c227368617065223a5b302c335d" ..
    "2c22646174615f6f666673657473223a5b39362c39365d7d2c227363616c6172223a7b226474797065223a22463332222c227368617065" ..
    "223a5b5d2c22646174615f6f666673657473223a5b39362c3130305d7d2c22742e666c6f61743332223a7b226474797065223a22463332" ..
    "222c227368617065223a5b322c335d2c22646174615f6f666673657473223a5b3130302c3132345d7d2c22742e696e743332223a7b2264" ..
    "74797065223a22493332222c227368617065223a5b322c335d2c22646174615f6f666673657473223a5b3132342c3134385d7d2c22742e" ..
    "62666c6f61743136223a7b226474797065223a2242463136222c227368617065223a5b322c335d2c22646174615f6f666673657473223a" ..
    "5b3134382c3136305d7d2c22742e666c6f61743136223a7b226474797065223a22463136222c227368617065223a5b322c335d2c226461" ..
    "74615f6f666673657473223a5b3136302c3137325d7d2c22742e696e743136223a7b226474797065223a22493136222c22736861706522" ..
    "3a5b322c335d2c22646174615f6f666673657473223a5b3137322c3138345d7d2c22742e696e7438223a7b226474797065223a22493822" ..
    "2c227368617065223a5b322c335d2c22646174615f6f666673657473223a5b3138342c3139305d7d2c22742e75696e7438223a7b226474" ..
    "797065223a225538222c227368617065223a5b322c335d2c22646174615f6f666673657473223a5b3139302c3139365d7d2c22742e626f" ..
    "6f6c223a7b226474797065223a22424f4f4c222c227368617065223a5b322c335d2c22646174615f6f666673657473223a5b3139362c32" ..
    "30325d7d7d2020fffffffffffffffffefffffffffffffffdfffffffffffffffcfffffffffffffffbfffffffffffffffaffffffffffffff" ..
    "000000000000f0bf00000000000000c000000000000008c000000000000010c000000000000014c000000000000018c000002040000080" ..
    "bf000000c0000040c0000080c00000a0c00000c0c0fffffffffefffffffdfffffffcfffffffbfffffffaffffff80bf00c040c080c0a0c0" ..
    "c0c000bc00c000c200c400c500c6fffffefffdfffcfffbfffafffffefdfcfbfa010203040506010001000101"

describe("load", function()
    it("reads a file that Python wrote", function()
        local name = write("python.safetensors", (python_file:gsub("%x%x", function(h)
            return string.char(tonumber(h, 16))
        end)))
        local value, metadata = tocha.load(name)
        assert.same({format = "pt", note = "grüße"}, metadata)
        for _, dtype in ipairs {"int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64"} do
            local t = value["t." .. dtype]
            assert.equal(dtype, t.dtype)
            assert.is_true(t:equal(tocha.tensor({{-1, -2, -3}, {-4, -5, -6}}, {dtype = dtype})))
        end
        assert.same({{1, 2, 3}, {4, 5, 6}}, value["t.uint8"]:tolist())
        assert.same({{true, false, true}, {false, true, true}}, value["t.bool"]:tolist())
        assert.equal(2.5, value.scalar:item())
        assert.equal("0x3", tostring(value.empty.shape))
    end)

    local entry = '{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
    local function with(fields)
        return container('{"x":{' .. fields .. "}}", ("\0"):rep(8))
    end
    local hostile = {
        {"an empty file", "", "it has 0 bytes"},
        {"a file of 7 bytes", "\1\0\0\0\0\0\0", "it has 7 bytes"},
        {"a huge header length", ("\255"):rep(8) .. "{}", "a header of 18446744073709551615 bytes"},
        {"a header length over the limit", string.pack("<I8", 100000001) .. "{}", "a header of 100000001 bytes"},
        {"a header length of 0", string.pack("<I8", 0), "a header of 0 bytes"},
        {"a header longer than the file", string.pack("<I8", 100) .. "{}", "cut off or no safetensors file"},
        {"a header that is no object", container "[]", "not a JSON object"},
        {"a header that is no JSON", container "{]", "not valid JSON"},
        {"text behind the header", container "{} x", "not valid JSON"},
        {"data cut off", container(entry, ("\0"):rep(7)), "data_offsets %[0, 8%] lie outside the 7 bytes"},
        {"data left over", container(entry, ("\0"):rep(9)), "1 bytes at the end belong to no tensor"},
        {"a name twice", container('{"x":1,"x":2}'), "duplicate object key"},
        {"a key of an entry twice", with '"dtype":"F32","dtype":"F64"', "duplicate object key"},
        {"bad UTF-8", container('{"\255":1}'), "not valid JSON"},
        {"a zero byte in a name", container('{"\\u0000":1}'), "not valid JSON"},
        {"JSON nested too deeply", container('{"x":' .. ("["):rep(100000) .. ("]"):rep(100000) .. "}"), "depth"},
        {"an entry that is no object", container '{"x":1}', "'x' must be described by an object"},
        {"an unknown dtype", with '"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]',
            "has dtype F8_E4M3; known: BOOL"},
        {"a dtype that is no string", with '"dtype":7,"shape":[2],"data_offsets":[0,8]', "has dtype %(none%)"},
        {"no shape", with '"dtype":"F32","data_offsets":[0,8]', "'x' has no shape"},
        {"a negative size", with '"dtype":"F32","shape":[-2],"data_offsets":[0,8]',
            "sizes must be whole numbers from 0"},
        {"a size that is no number", with '"dtype":"F32","shape":["2"],"data_offsets":[0,8]', "sizes must be whole"},
        {"a broken size", with '"dtype":"F32","shape":[2.0],"data_offsets":[0,8]', "sizes must be whole"},
        {"a size beyond 64 bits", with '"dtype":"F32","shape":[36893488147419103232],"data_offsets":[0,8]',
            "not valid JSON"},
        {"sizes whose product overflows", with('"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,8]'),
            "does not take the 8 bytes"},
        {"too many dims", with '"dtype":"F32","shape":[1,1,1,1,1,1,1,1,2],"data_offsets":[0,8]',
            "has 9 dims; at most 8"},
        {"a shape that takes more bytes", with '"dtype":"F32","shape":[3],"data_offsets":[0,8]',
            "does not take the 8 bytes"},
        {"a shape that takes fewer bytes", with '"dtype":"F32","shape":[1],"data_offsets":[0,8]',
            "does not take the 8 bytes"},
        {"no offsets", with '"dtype":"F32","shape":[2]', "data_offsets must be two whole numbers"},
        {"three offsets", with '"dtype":"F32","shape":[2],"data_offsets":[0,4,8]', "must be two whole numbers"},
        {"offsets that are no integers", with '"dtype":"F32","shape":[2],"data_offsets":[0,8.5]', "must be two whole"},
        {"a negative offset", with '"dtype":"F32","shape":[2],"data_offsets":[-8,0]', "lie outside"},
        {"offsets in the wrong order", with '"dtype":"F32","shape":[2],"data_offsets":[8,0]', "lie outside"},
        {"an offset out of range", with '"dtype":"F32","shape":[2],"data_offsets":[8,16]', "lie outside"},
        {"a gap before a tensor", container('{"x":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}', "\0\0"),
            "'x' leaves a gap"},
        {"tensors that overlap", container('{"x":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},'
            .. '"y":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}', "\0\0\0"), "'y' overlaps the one before"},
        {"a bool that is 2", container('{"x":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]}}', "\1\2"),
            "a byte 2, which is neither 0 nor 1"},
        {"metadata that is no object", container '{"__metadata__":[]}', "__metadata__ must be an object of strings"},
        {"metadata with numbers", container '{"__metadata__":{"a":1}}', "'a' is none"},
        {"control characters in a name", container '{"\\u001b[31m":1}', "'%?%[31m' must be"},
    }
    for _, case in ipairs(hostile) do
        it("refuses " .. case[1], function()
            local name = write("hostile.safetensors", case[2])
            local text = message(tocha.load, name)
            assert.truthy(text:find("load: " .. name .. ": ", 1, true), text)
            assert.matches(case[3], text)
        end)
    end

    local function tree(json)
        return container(('{"__metadata__":{"tocha":%q}}'):format(json))
    end
    local trees = {
        {"no JSON", tree "{", "not valid JSON"},
        {"another format", tree '{"format":2,"value":1}', "no format that this version knows"},
        {"no value", tree '{"format":1}', "no format that this version knows"},
        {"a tensor that is not there", tree '{"format":1,"value":{"tensor":"x"}}', "there is no tensor \"x\""},
        {"an unknown form", tree '{"format":1,"value":{"code":"os.exit()"}}', "unknown form \"code\""},
        {"a form without content", tree '{"format":1,"value":{}}', "unknown form nil"},
        {"two forms at once", tree '{"format":1,"value":{"map":{},"float":"nan"}}', "unknown form"},
        {"pairs that are none", tree '{"format":1,"value":{"pairs":[[1]]}}', "lists of two"},
        {"pairs that are no list", tree '{"format":1,"value":{"pairs":7}}', "pairs must be a list"},
        {"a key that is a table", tree '{"format":1,"value":{"pairs":[[{"map":{}},1]]}}', "a key is neither"},
        {"a key that is nan", tree '{"format":1,"value":{"pairs":[[{"float":"nan"},1]]}}', "a key is neither"},
        {"bytes that are no hex", tree '{"format":1,"value":{"bytes":"0g"}}', "hexadecimal"},
        {"an unknown float", tree '{"format":1,"value":{"float":"1"}}', "unknown float"},
        {"a map that is a list", tree '{"format":1,"value":{"map":[1]}}', "a map must be an object"},
        {"null", tree '{"format":1,"value":null}', "null has no counterpart"},
        {"values nested too deeply", tree('{"format":1,"value":' .. ("["):rep(1000) .. "1" .. ("]"):rep(1000) .. "}"),
            "nested too deeply"},
        {"a tensor that is not mentioned", container('{"__metadata__":{"tocha":"{\\"format\\":1,\\"value\\":1}"},'
            .. '"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', "\0"), "does not mention tensor \"x\""},
    }
    for _, case in ipairs(trees) do
        it("refuses a tree with " .. case[1], function()
            local name = write("tree.safetensors", case[2])
            local text = message(tocha.load, name)
            assert.truthy(text:find("load: " .. name .. ': metadata entry "tocha" is malformed: ', 1, true), text)
            assert.matches(case[3], text)
        end)
    end

    it("names a file that is not there, a folder and a bad argument", function()
        assert.matches("load: /nonexistent/x: No such file", message(tocha.load, "/nonexistent/x"))
        assert.matches("not a regular file", message(tocha.load, folder))
        assert.matches("path must be a string, got nil", message(tocha.load))
    end)

    it("survives every cut and thousands of damaged files", function()
        local value = {x = tocha.tensor({1.0, 2.0}), s = "text", n = {1, {y = tocha.tensor({true})}}}
        tocha.save(path "good.safetensors", value)
        local bytes = read "good.safetensors"
        for n = 0, #bytes - 1 do
            message(tocha.load, write("cut.safetensors", bytes:sub(1, n)))
        end
        math.randomseed(7)
        local refused = 0
        for _ = 1, 3000 do
            local damaged = bytes
            for _ = 1, math.random(3) do
                local at = math.random(#damaged)
                damaged = damaged:sub(1, at - 1) .. string.char(math.random(0, 255)) .. damaged:sub(at + 1)
            end
            local ok, text = pcall(tocha.load, write("damaged.safetensors", damaged))
            if not ok then
                assert.matches("load: .*damaged%.safetensors: ", text)
                refused = refused + 1
            end
        end
        assert.is_true(refused > 1000)
    end)

    it("leaks no tensors, whether it works or fails", function()
        local cut = write("leak.safetensors", container('{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},'
            .. '"b":{"dtype":"BOOL","shape":[1],"data_offsets":[2,3]}}', "\0\0\7"))
        collectgarbage()
        collectgarbage()
        local before = tocha.memory_stats().tensors
        for _ = 1, 20 do
            message(tocha.load, cut)
            tocha.load(path "good.safetensors")
        end
        collectgarbage()
        collectgarbage()
        assert.equal(before, tocha.memory_stats().tensors)
    end)

    it("reports a failed allocation and leaks nothing", function()
        tocha.save(path "big.safetensors", {a = tocha.tensor({1, 2}), b = tocha.tensor({3, 4})})
        collectgarbage()
        collectgarbage()
        local before = tocha.memory_stats().tensors
        for n = 0, 20 do
            tocha._fail_after(n)
            pcall(tocha.load, path "big.safetensors")
            tocha._fail_after(n)
            pcall(tocha.save, path "big2.safetensors", {a = tocha.tensor({1, 2}):t()})
            tocha._fail_after(-1)
        end
        collectgarbage()
        collectgarbage()
        assert.equal(before, tocha.memory_stats().tensors)
        assert.equal(2, tocha.load(path "big.safetensors").a[2]:item())
    end)
end)

describe("bytes", function()
    it("go to tensors and back", function()
        local x = tocha._from_string("\1\0\2\0", "int16", {2, 1})
        assert.same({{1}, {2}}, x:tolist())
        assert.equal("\1\0\2\0", x:_to_string())
        assert.equal("\2\0\1\0", tocha._to_string(tocha.tensor({2, 1}, {dtype = "int16"})))
    end)

    it("must fit the shape", function()
        local x, why = tocha._from_string("abc", "int16", {1})
        assert.is_nil(x)
        assert.matches("3 bytes do not make shape 1 of int16", why)
        assert.is_nil((tocha._from_string("\2", "bool", {1})))
        assert.is_nil((tocha._from_string("ab", "int8", {math.maxinteger, 4})))
    end)
end)
