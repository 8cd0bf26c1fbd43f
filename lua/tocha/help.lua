--- help(): operators from their rows, library functions and classes from the comment above them.

local core = require "tocha.core"
local describe = require("tocha.options").describe
local raise = require "tocha.raise"

local help = {}

--- Where classes were made: set by nn.class and optim, as {source = "@file", line = n}.
help.places = setmetatable({}, {__mode = "k"})

--- The lines of a file up to line n, or nil.
local function head(path, n)
    local file = io.open(path)
    if not file then
        return nil
    end
    local lines = {}
    for line in file:lines() do
        lines[#lines + 1] = line
        if #lines == n then
            break
        end
    end
    file:close()
    return #lines == n and lines or nil
end

--- The "---" comment that ends right above line n, and that line.
local function comment_above(source, n)
    local lines = source:sub(1, 1) == "@" and head(source:sub(2), n)
    if not lines then
        return nil
    end
    local text = {}
    for i = n - 1, 1, -1 do
        local line = lines[i]:match("^%s*%-%-%- ?(.*)$")
        if not line then
            break
        end
        table.insert(text, 1, line)
    end
    return #text > 0 and table.concat(text, "\n") or nil, lines[n]
end

local function describe_function(f)
    local info = debug.getinfo(f, "S")
    if info.what == "C" then
        return nil
    end
    local text, line = comment_above(info.source, info.linedefined)
    local signature = line and (line:match("function%s+([%w_.:]+%b())") or line:match("([%w_.]+)%s*=%s*function%b()"))
    return text and (signature and signature:gsub("^[%w_.:]*[.:]", "") .. "\n" .. text or text)
end

local function describe_class(class)
    local place = help.places[class]
    local text = place and comment_above(place.source, place.line)
    if not text then
        return nil
    end
    return tostring(class) .. "\n" .. text
end

--- What there is to ask about: the operators, by name.
local function overview()
    local seen, names = {}, {}
    for _, row in ipairs(core._op_table()) do
        if not seen[row.public_name] then
            seen[row.public_name] = true
            names[#names + 1] = row.public_name
        end
    end
    table.sort(names)
    local lines, line = {}, " "
    for _, name in ipairs(names) do
        if #line + #name > 98 then
            lines[#lines + 1] = line
            line = " "
        end
        line = line .. " " .. name
    end
    lines[#lines + 1] = line
    return "help(\"conv2d\"), help(x.sum), help(nn.Linear): what an operator, a method or a class does.\n"
        .. "Operators, as tocha.NAME(x, ...) and mostly as x:NAME(...):\n" .. table.concat(lines, "\n")
        .. "\nLibraries: nn (layers), optim (optimisers), data (datasets), train (progress, accuracy)."
end


--- The name under which the main module has a function.
local function name_of(f)
    for name, other in pairs(core) do
        if other == f then
            return name
        end
    end
    return nil
end

--- Text about an operator (its name, or the function), a class or a function of the libraries.
--- Raises an error where nothing is known.
function help.text(what)
    local text = what == nil and overview() or nil
    if type(what) == "function" then
        text = describe_function(what)
        what = not text and name_of(what) or what
    elseif type(what) == "table" then
        text = describe_class(what) or describe_class(getmetatable(what) and getmetatable(what).class or what)
    elseif type(what) == "string" and type(core[what]) == "function" then
        text = describe_function(core[what])
    end
    text = text or core._op_help(what) or type(what) == "string" and core._op_help(core[what])
    if not text then
        raise("help: nothing is known about %s; ask for the name of an operator such as \"conv2d\", or for a function "
            .. "or class of the libraries", describe(what))
    end
    return text
end

return help
