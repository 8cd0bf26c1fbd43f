--- Runs the examples of the documentation: of every operator's row, and of the comments in lua/.
---
--- A line "> code" is run as at the prompt; the lines below it, up to the next one or the end of the text, are what
--- it prints. Values of an expression or of "return" are printed, several of them on lines of their own.

local tocha = require "tocha"

local root = os.getenv("TOCHA_ROOT") or "."

--- How the prompt shows a value; tables of numbers and strings are as deep as examples go.
local function show(value)
    if type(value) ~= "table" or getmetatable(value) then
        return tostring(value)
    end
    local items = {}
    for i, item in ipairs(value) do
        items[i] = show(item)
    end
    return "{" .. table.concat(items, ", ") .. "}"
end

--- An environment with the libraries as globals, whose print() goes to lines.
local function environment(lines)
    local env = {tocha = tocha}
    for _, name in ipairs {"nn", "optim", "data", "train"} do
        local ok, library = pcall(require, name)
        env[name] = ok and library or nil
    end
    function env.print(...)
        local texts = table.pack(...)
        for i = 1, texts.n do
            texts[i] = tostring(texts[i])
        end
        lines[#lines + 1] = table.concat(texts, "\t")
    end
    return setmetatable(env, {__index = _G})
end

local function run(code, env, lines)
    local chunk = load("return " .. code, "=example", "t", env)
    local problem
    if not chunk then
        chunk, problem = load(code, "=example", "t", env)
    end
    assert(chunk, problem)
    local results = table.pack(chunk())
    for i = 1, results.n do
        lines[#lines + 1] = show(results[i])
    end
end

--- The examples of a text: a list of {code, expected}.
local function examples_in(text)
    local list, current = {}, nil
    for line in (text .. "\n"):gmatch("(.-)\n") do
        local code = line:match("^> (.*)$")
        if code then
            current = {code = code, expected = {}}
            list[#list + 1] = current
        elseif current then
            table.insert(current.expected, line)
        end
    end
    return list
end

local function check(text)
    local lines = {}
    local env = environment(lines)
    for _, example in ipairs(examples_in(text)) do
        for i = #lines, 1, -1 do
            lines[i] = nil
        end
        local ok, problem = pcall(run, example.code, env, lines)
        if not ok then
            error(("> %s\nraises %s"):format(example.code, problem), 0)
        end
        local got, expected = table.concat(lines, "\n"), table.concat(example.expected, "\n"):gsub("\n+$", "")
        if got ~= expected then
            error(("> %s\nprints\n%s\nbut should print\n%s"):format(example.code, got, expected), 0)
        end
    end
end

--- The blocks of "---" comments in a file: {line, text}.
local function comments_in(path)
    local blocks, current, number = {}, nil, 0
    for line in io.lines(path) do
        number = number + 1
        local text = line:match("^%s*%-%-%- ?(.*)$")
        if text and not current then
            current = {line = number, text = {}}
            blocks[#blocks + 1] = current
        end
        if text then
            table.insert(current.text, text)
        else
            current = nil
        end
    end
    return blocks
end

local function lua_files()
    local pipe = assert(io.popen(("find '%s/lua' -name '*.lua' | LC_ALL=C sort"):format(root)))
    local files = {}
    for path in pipe:lines() do
        files[#files + 1] = path
    end
    pipe:close()
    return files
end

describe("the examples of", function()
    for _, row in ipairs(tocha._op_table()) do
        it(row.name, function()
            assert(#examples_in(row.doc) > 0, "there are none")
            check(row.doc)
        end)

        it(row.name .. " are what help shows", function()
            local text = tocha._op_help(row.public_name)
            assert(text:find(row.doc, 1, true), "help does not show the row's text")
            assert(text:find(row.public_name .. "(", 1, true), "help does not show the signature")
        end)
    end

    for _, path in ipairs(lua_files()) do
        for _, block in ipairs(comments_in(path)) do
            local text = table.concat(block.text, "\n")
            if #examples_in(text) > 0 then
                it(("%s:%d"):format(path:match("lua/.*$"), block.line), function()
                    check(text)
                end)
            end
        end
    end
end)

describe("an example that is wrong", function()
    it("is found", function()
        assert.has_error(function() check("> 1 + 1\n3") end)
        assert.has_error(function() check("> error('x')\n") end)
        assert.has_error(function() check("> tocha.ones(2)\ntensor({1, 2})") end)
        local right = "> tocha.ones(2)\ntensor({1, 1})\n> print(2, 3)\n2\t3\n> {1, 2}\n{1, 2}"
        assert.has_no_error(function() check(right) end)
    end)
end)
