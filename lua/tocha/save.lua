--- save() and load(): tensors, and whatever a checkpoint holds besides, in the safetensors format.
---
--- A table of tensors with string keys becomes a file of those names, which other programs read. For anything more,
--- the tensors are named by the dots-joined path to them ("model.fc.weight"), and the metadata entry "tocha" holds
--- the tree as JSON: {"map": {...}} and {"pairs": [[key, value], ...]} are tables, a list is a table 1..n,
--- {"tensor": name} a tensor, {"bytes": hex} a string that is no UTF-8, {"float": text} nan and inf.

local core = require "tocha.core"
local raise = require "tocha.raise"
local describe = require("tocha.options").describe

local saving = {}

local ENTRY = "tocha"
local MAX_DEPTH = 64

local function is_text(s)
    return utf8.len(s) ~= nil
end

local function sorted_keys(t)
    local keys = {}
    for key in next, t do
        keys[#keys + 1] = key
    end
    table.sort(keys, function(a, b)
        local x, y = type(a), type(b)
        if x ~= y then
            return x < y
        elseif x == "number" or x == "string" then
            return a < b
        end
        return tostring(a) < tostring(b)
    end)
    return keys
end

--- Whether all keys are 1..n.
local function is_list(t)
    local n = #t
    local count = 0
    for key in next, t do
        count = count + 1
        if math.type(key) ~= "integer" or key < 1 or key > n then
            return false
        end
    end
    return n > 0 and count == n
end

local function hex(s)
    return (s:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

local encode

--- A name of the file for the tensor at a path, different from all others.
local function name_tensor(state, path)
    local name = #path == 0 and "tensor" or table.concat(path, ".")
    if not is_text(name) then
        name = name:gsub("[\128-\255]", "?")
    end
    name = name:gsub("%c", "?")
    local free, n = name, 1
    while state.taken[free] or free == "__metadata__" do
        n = n + 1
        free = name .. "#" .. n
    end
    state.taken[free] = true
    return free
end

local function encode_scalar(value)
    if type(value) == "string" then
        return is_text(value) and value or {bytes = hex(value)}
    elseif math.type(value) == "float" and (value ~= value or math.abs(value) == math.huge) then
        return {float = value ~= value and "nan" or value > 0 and "inf" or "-inf"}
    end
    return value
end

local function encode_list(state, t, path)
    local list = {}
    for i, value in ipairs(t) do
        path[#path + 1] = tostring(i)
        list[i] = encode(state, value, path)
        path[#path] = nil
    end
    return list
end

--- The pairs of a table in a fixed order, and whether all keys are strings that JSON can hold.
local function encode_fields(state, t, path)
    local map, pairs_list, named = {}, {}, true
    for _, key in ipairs(sorted_keys(t)) do
        local kind = type(key)
        if kind ~= "string" and kind ~= "number" and kind ~= "boolean" then
            raise("save: keys must be strings, numbers or booleans, got %s%s", describe(key),
                #path > 0 and " in " .. table.concat(path, ".") or "")
        end
        path[#path + 1] = tostring(key)
        local value = encode(state, t[key], path)
        path[#path] = nil
        named = named and kind == "string" and is_text(key)
        map[key] = value
        pairs_list[#pairs_list + 1] = {encode_scalar(key), value}
    end
    return named and {map = map} or {pairs = pairs_list}
end

local function encode_table(state, t, path)
    local where = #path > 0 and " at " .. table.concat(path, ".") or ""
    if getmetatable(t) then
        local fix = type(t.state_dict) == "function" and "; save its :state_dict()" or ""
        raise("save: cannot save an object%s%s", where, fix)
    elseif state.open[t] then
        raise("save: the table%s contains itself", where)
    elseif #path >= MAX_DEPTH then
        raise("save: tables are nested more than %d deep%s", MAX_DEPTH, where)
    end
    state.open[t] = true
    local node = is_list(t) and encode_list(state, t, path) or encode_fields(state, t, path)
    state.open[t] = nil
    return node
end

function encode(state, value, path)
    local kind = type(value)
    if core.is_tensor(value) then
        local name = name_tensor(state, path)
        state.names[#state.names + 1] = name
        state.tensor[name] = value
        return {tensor = name}
    elseif kind == "table" then
        return encode_table(state, value, path)
    elseif kind == "string" or kind == "number" or kind == "boolean" then
        return encode_scalar(value)
    end
    raise("save: cannot save %s%s", describe(value), #path > 0 and " at " .. table.concat(path, ".") or "")
end

--- Whether the file's names alone say what the table is.
local function is_plain(value)
    if type(value) ~= "table" or next(value) == nil then
        return false
    end
    for key, item in next, value do
        if type(key) ~= "string" or key == "__metadata__" or not is_text(key) or key:find("%c")
            or not core.is_tensor(item) then
            return false
        end
    end
    return true
end

local sizes = {complex64 = 8, float64 = 8, int64 = 8, float32 = 4, int32 = 4, float16 = 2, bfloat16 = 2, int16 = 2}

--- Wide elements first, so that each tensor starts at a multiple of its element's size.
local function file_order(state)
    table.sort(state.names, function(a, b)
        local x, y = sizes[state.tensor[a].dtype] or 1, sizes[state.tensor[b].dtype] or 1
        if x ~= y then
            return x > y
        end
        return a < b
    end)
    local tensors = {}
    for i, name in ipairs(state.names) do
        tensors[i] = state.tensor[name]
    end
    return tensors
end

local function check_metadata(metadata)
    local copy = {}
    for key, text in pairs(metadata or {}) do
        if type(key) ~= "string" or type(text) ~= "string" or key == ENTRY then
            raise("save: metadata must hold strings by name (not %q), got %s = %s", ENTRY, tostring(key),
                describe(text))
        end
        copy[key] = text
    end
    return copy
end

--- Writes value to a file in the safetensors format, whole or not at all: tensors, tables of any depth with string,
--- number and boolean keys, numbers, strings, booleans. A table that stands in two places is written twice.
--- metadata: strings by name, for other programs. Gradients are not saved; tensors come back on the CPU.
--- Raises an error for functions, objects (save their state_dict()), tables that contain themselves, and where the
--- file cannot be written.
function saving.save(path, value, metadata)
    if type(path) ~= "string" then
        raise("save: path must be a string, got %s", describe(path))
    elseif value == nil then
        raise("save: value is missing: a tensor or a table")
    end
    local state = {taken = {}, names = {}, tensor = {}, open = {}}
    local strings = check_metadata(metadata)
    local tree = encode(state, value, {})
    if not is_plain(value) then
        local text, why = core._json_encode({format = 1, value = tree})
        if not text then
            raise("save: %s", why)
        end
        strings[ENTRY] = text
    end
    local tensors = file_order(state)
    local ok, why = core._save(path, state.names, tensors, strings)
    if not ok then
        raise("save: %s: %s", path, why)
    end
end

local malformed = {}

local function refuse(text, ...)
    error(setmetatable({text:format(...)}, malformed), 0)
end

local decode

local function decode_key(node)
    local key = decode({}, node)
    if type(key) == "table" or key ~= key then
        refuse("a key is neither string, number nor boolean")
    end
    return key
end

local function decode_pairs(state, list)
    local t = {}
    if type(list) ~= "table" then
        refuse("pairs must be a list")
    end
    for _, entry in ipairs(list) do
        if type(entry) ~= "table" or #entry ~= 2 then
            refuse("pairs must hold lists of two")
        end
        t[decode_key(entry[1])] = decode(state, entry[2])
    end
    return t
end

local function decode_bytes(text)
    if type(text) ~= "string" or #text % 2 ~= 0 or text:find("%X") then
        refuse("bytes must be written in hexadecimal")
    end
    return (text:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
end

local floats = {nan = 0 / 0, inf = math.huge, ["-inf"] = -math.huge}

local forms = {
    map = function(state, fields)
        local t = {}
        if type(fields) ~= "table" or #fields > 0 then
            refuse("a map must be an object")
        end
        for key, node in pairs(fields) do
            t[key] = decode(state, node)
        end
        return t
    end,
    pairs = decode_pairs,
    bytes = function(_, text) return decode_bytes(text) end,
    float = function(_, text) return floats[text] or refuse("unknown float %s", describe(text)) end,
    tensor = function(state, name)
        local t = state.tensors and state.tensors[name]
        if not t then
            refuse("there is no tensor %s", describe(name))
        end
        state.used[name] = true
        return t
    end,
}

function decode(state, node)
    if type(node) ~= "table" then
        return node
    elseif #node > 0 then
        local t = {}
        for i, item in ipairs(node) do
            t[i] = decode(state, item)
        end
        return t
    end
    local form, content = next(node)
    if not forms[form] or next(node, form) ~= nil then
        refuse("unknown form %s", describe(form))
    end
    return forms[form](state, content)
end

local function decode_tree(text, tensors)
    local tree, why = core._json_decode(text)
    if not tree then
        refuse("%s", why)
    elseif type(tree) ~= "table" or tree.format ~= 1 or tree.value == nil then
        refuse("it is of no format that this version knows")
    end
    local state = {tensors = tensors, used = {}}
    local value = decode(state, tree.value)
    for name in pairs(tensors) do
        if not state.used[name] then
            refuse("it does not mention tensor %s", describe(name))
        end
    end
    return value
end

--- Reads a file that save() or another program wrote in the safetensors format.
--- Returns what was saved (for other programs' files a table of tensors by name), and a table of the metadata's
--- strings. Raises an error that names the file and what is wrong with it; nothing in a file is trusted.
function saving.load(path)
    if type(path) ~= "string" then
        raise("load: path must be a string, got %s", describe(path))
    end
    local tensors, metadata = core._load(path)
    if not tensors then
        raise("load: %s: %s", path, metadata)
    end
    local text = metadata[ENTRY]
    if not text then
        return tensors, metadata
    end
    metadata[ENTRY] = nil
    local ok, value = pcall(decode_tree, text, tensors)
    if ok then
        return value, metadata
    elseif getmetatable(value) == malformed then
        raise("load: %s: metadata entry %q is malformed: %s", path, ENTRY, (value[1]:gsub("%c", "?")))
    end
    error(value, 0)
end

return saving
