--- The MNIST database of handwritten digits, from its original files.

local idx = require "data.idx"
local options = require "tocha.options"
local raise = require "tocha.raise"
local TensorDataset = require "data.dataset"

local mnist = {}

mnist.source = "https://ossci-datasets.s3.amazonaws.com/mnist/"

local splits = {
    train = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", 60000},
    test = {"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", 10000},
}

--- The four files, as they are called for downloading.
mnist.files = {}
for _, split in ipairs {"train", "test"} do
    for i = 1, 2 do
        table.insert(mnist.files, splits[split][i] .. ".gz")
    end
end

local function exists(path)
    local file = io.open(path, "rb")
    if file then
        file:close()
    end
    return file ~= nil
end

--- Where the cache is: ~/.cache/tocha, or nil where there is no home.
function mnist.cache()
    local home = os.getenv("HOME")
    return home and home .. "/.cache/tocha"
end

--- The folders that are looked through: dir alone if it is given, else $TOCHA_DATA and the cache; in each, the folder
--- itself and its subfolder mnist.
local function folders(dir)
    local list = {}
    for _, base in ipairs(dir and {dir} or {os.getenv("TOCHA_DATA") or "", mnist.cache() or ""}) do
        if base ~= "" then
            list[#list + 1] = base
            list[#list + 1] = base .. "/mnist"
        end
    end
    return list
end

local function find(dir, name)
    for _, folder in ipairs(folders(dir)) do
        for _, suffix in ipairs {"", ".gz"} do
            local path = ("%s/%s%s"):format(folder, name, suffix)
            if exists(path) then
                return path
            end
        end
    end
end

local function missing(dir, name)
    local target = dir or (mnist.cache() or ".") .. "/mnist"
    return ("mnist: %s.gz was not found in %s; download the four files %s from %s into %s"):format(name,
        table.concat(folders(dir), ", "), table.concat(mnist.files, ", "), mnist.source, target)
end

--- The path of the named file that is there, or nil and one sentence on what to download where.
function mnist.locate(dir, name)
    local path = find(dir, name)
    if path then
        return path
    end
    return nil, missing(dir, name)
end

local function read_images(path)
    local images, why = idx.read(path, 3)
    if not images then
        return nil, why
    elseif images:size(2) ~= 28 or images:size(3) ~= 28 then
        return nil, ("%s: images of %dx%d pixels, expected 28x28"):format(path, images:size(2), images:size(3))
    end
    return images:unsqueeze(2)
end

local function read_labels(path, count)
    local labels, why = idx.read(path, 1)
    if not labels then
        return nil, why
    elseif labels:numel() ~= count then
        return nil, ("%s: %d labels for %d images"):format(path, labels:numel(), count)
    elseif count > 0 and labels:max():item() > 9 then
        return nil, ("%s: a label is %d, expected 0 to 9"):format(path, labels:max():item())
    end
    return labels:to("int64") + 1
end

--- images (n, 1, 28, 28) of uint8 and labels (n) of int64, or nil and one sentence on what is wrong.
local function load(dir, split)
    local image_name, label_name, count = table.unpack(splits[split])
    local image_path, why = mnist.locate(dir, image_name)
    if not image_path then
        return nil, why
    end
    local label_path
    label_path, why = mnist.locate(dir, label_name)
    if not label_path then
        return nil, why
    end
    local images
    images, why = read_images(image_path)
    if not images then
        return nil, "mnist: " .. why
    elseif images:size(1) ~= count then
        return nil, ("mnist: %s: %d images, expected %d"):format(image_path, images:size(1), count)
    end
    local labels
    labels, why = read_labels(label_path, count)
    if not labels then
        return nil, "mnist: " .. why
    end
    return images, labels
end

--- Of the training set's pixels, 0 to 255.
local MEAN, STD = 33.32, 78.57

local function normalised(images, labels)
    return images:to("float32"):sub_(MEAN):div_(STD), labels
end

local spec = {{"dir", "string", optional = true}, {"split", "string", "train"}}

--- MNIST (LeCun, Cortes, Burges): mnist{split = "train"} (60,000 images) or "test" (10,000). Batches are x (n, 1, 28,
--- 28) of float32, normalised by the training set's mean and standard deviation, and labels y (n) of int64 from 1 to
--- 10: the digit plus 1. dir is the folder of the original idx files, gzipped or not; without it, $TOCHA_DATA and
--- ~/.cache/tocha are looked through. A file that is missing, cut off or corrupt is an error that names it.
function mnist.load(...)
    local o = options.read("mnist", spec, ...)
    if not splits[o.split] then
        raise("mnist: split must be train or test, got %s", options.describe(o.split))
    end
    local images, labels = load(o.dir, o.split)
    if not images then
        raise("%s", labels)
    end
    return TensorDataset(images, labels, {transform = normalised})
end

local function quoted(text)
    return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function download_file(name, folder)
    local path = folder .. "/" .. name
    local part = path .. ".part"
    local ok = os.execute(("curl --fail --location --silent --show-error --output %s %s && mv %s %s"):format(
        quoted(part), quoted(mnist.source .. name), quoted(part), quoted(path)))
    if not ok then
        os.remove(part)
    end
    return ok
end

--- Downloads with curl those of the files that load() would not find, into dir (the cache's folder mnist unless
--- given). Returns true, or nil and one sentence on what went wrong.
function mnist.download(dir)
    local folder = dir or (mnist.cache() or ".") .. "/mnist"
    for _, name in ipairs(mnist.files) do
        if not find(dir, (name:gsub("%.gz$", ""))) then
            if not os.execute("mkdir -p " .. quoted(folder)) then
                return nil, ("mnist: the folder %s cannot be made"):format(folder)
            elseif not download_file(name, folder) then
                return nil, ("mnist: %s%s could not be downloaded"):format(mnist.source, name)
            end
        end
    end
    return true
end

return mnist
