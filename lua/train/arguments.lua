--- Options of scripts: --name value, --name=value, --flag.

local arguments = {}

local function whole(least)
    return function(text)
        local n = math.tointeger(tonumber(text))
        return n and n >= least and n or nil
    end
end

--- Each kind: what a message calls it, and a function that turns the text into the value, or nil.
local kinds = {
    count = {"a whole number from 1", whole(1)},
    size = {"a whole number from 0", whole(0)},
    positive = {"a number above 0", function(text)
        local n = tonumber(text)
        return n and n > 0 and n < math.huge and n or nil
    end},
    text = {"a text", function(text) return text ~= "" and text or nil end},
}

local function find(spec, name)
    for _, entry in ipairs(spec) do
        if entry.name == name then
            return entry
        end
    end
end

local function read_choice(entry, text)
    for _, choice in ipairs(entry.choices) do
        if text == choice then
            return choice
        end
    end
    return nil, ("--%s must be %s, got %s"):format(entry.name, table.concat(entry.choices, " or "), text)
end

local function read_value(entry, text)
    if entry.choices then
        return read_choice(entry, text)
    end
    local kind = kinds[entry.kind]
    local value = kind[2](text)
    if value == nil then
        return nil, ("--%s must be %s, got %s"):format(entry.name, kind[1], text == "" and "nothing" or text)
    end
    return value
end

local function key(name)
    return (name:gsub("%-", "_"))
end

--- Reads the option at argv[i]: its entry, its value and where the next one stands; or nil and what is wrong.
local function read_option(spec, argv, i)
    local name, equals, text = argv[i]:match("^%-%-([%w%-]+)(=?)(.*)$")
    local entry = name and find(spec, name)
    if not entry or (equals == "" and text ~= "") then
        return nil, ("unknown option %s; --help lists the known ones"):format(argv[i])
    elseif entry.flag then
        if equals ~= "" then
            return nil, ("--%s takes no value"):format(name)
        end
        return entry, true, i + 1
    elseif equals == "" then
        i = i + 1
        text = argv[i]
        if text == nil then
            return nil, ("--%s needs a value"):format(name)
        end
    end
    local value, why = read_value(entry, text)
    if value == nil then
        return nil, why
    end
    return entry, value, i + 1
end

--- Reads argv after spec, a list of {name, kind or choices or flag = true, default, value, help}: kind is "count",
--- "size", "positive" or "text". Returns a table of the values by name (with "_" for "-"), where help = true if
--- --help was asked for; or nil and one sentence on what is wrong.
function arguments.parse(spec, argv)
    local values, i = {}, 1
    for _, entry in ipairs(spec) do
        values[key(entry.name)] = entry.default
    end
    while i <= #argv do
        if argv[i] == "-h" or argv[i] == "--help" then
            values.help = true
            return values
        end
        local entry, value, next_one = read_option(spec, argv, i)
        if not entry then
            return nil, value
        end
        values[key(entry.name)] = value
        i = next_one
    end
    return values
end

--- The lines that --help prints about the options.
function arguments.describe(spec)
    local lines = {}
    for _, entry in ipairs(spec) do
        local left = "--" .. entry.name
        if not entry.flag then
            left = left .. " " .. (entry.choices and table.concat(entry.choices, "|") or entry.value or "N")
        end
        lines[#lines + 1] = ("  %-24s %s"):format(left, entry.help)
    end
    lines[#lines + 1] = ("  %-24s %s"):format("--help", "this text")
    return table.concat(lines, "\n")
end

return arguments
