"""Writes tables with pyarrow in every codec, page version and encoding, and reads what became of them.

    tables.py write FOLDER    FOLDER/in holds the tables, each with PLANTED in its texts, or clean
    tables.py read FOLDER     FOLDER/out holds them as they arrived: PLANTED is HIDDEN, everything else is as it was
"""

import os
import sys

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

PLANTED, HIDDEN = os.environ["PLANTED"], os.environ["HIDDEN"]


def table(planted):
    rows = 50
    say = lambda n: f"row {n}: {planted}" if n % 7 == 3 else (None if n % 5 == 4 else f"row {n}")
    note = pa.struct([("note", pa.string()), ("n", pa.int32())])
    columns = {
        "n": pa.array(range(rows), pa.int64()),
        "text": pa.array([say(n) for n in range(rows)], pa.string()),
        "large": pa.array([say(n + 1) for n in range(rows)], pa.large_string()),
        "kind": pa.array([f"kind {n % 3} {planted}" for n in range(rows)], pa.string()).dictionary_encode(),
        "list": pa.array([[{"note": say(n), "n": n}] * (n % 3) for n in range(rows)], pa.list_(note)),
        "map": pa.array([[("key", say(n))] for n in range(rows)], pa.map_(pa.string(), pa.string())),
        "bytes": pa.array([b"\x00\xff" if n % 2 else (say(n) or "").encode() for n in range(rows)], pa.binary()),
        "f": pa.array([n / 3 for n in range(rows)], pa.float64()),
    }
    return pa.table(columns).replace_schema_metadata({"about": f"of {planted}", "stays": "yes"})


def views(planted):
    rows = 40
    return pa.table(
        {
            "short": pa.array([f"s{n}" if n % 4 else None for n in range(rows)], pa.string_view()),
            "view": pa.array([f"{n} {planted} and more" if n % 6 == 0 else f"view {n} of some length" for n in range(rows)], pa.string_view()),
            "fixed": pa.array([["a", planted if n == 7 else "b"] for n in range(rows)], pa.list_(pa.string(), 2)),
            "runs": pa.chunked_array([pa.RunEndEncodedArray.from_arrays(pa.array([10, 40], pa.int32()), pa.array([planted, "x"]))]),
        }
    )


def parquets():
    for codec in ("none", "snappy", "gzip", "brotli", "lz4", "zstd"):
        for version in ("1.0", "2.0"):
            for dictionary in (True, False):
                options = dict(compression=codec, data_page_version=version, use_dictionary=dictionary, row_group_size=20)
                yield f"{codec}-{version}-{'dict' if dictionary else 'plain'}.parquet", options
    yield "index.parquet", dict(compression="zstd", write_page_index=True, write_page_checksum=True, row_group_size=20, data_page_size=64)
    encoding = {"text": "DELTA_BYTE_ARRAY", "large": "DELTA_LENGTH_BYTE_ARRAY", "bytes": "PLAIN"}
    yield "delta.parquet", dict(use_dictionary=False, column_encoding=encoding, compression="snappy", row_group_size=20)


def arrows():
    for name, make in (("all", table), ("views", views)):
        for codec in (None, "lz4", "zstd"):
            for form in ("file", "stream"):
                yield f"{name}-{codec}-{form}.arrow", make, codec, form


def write(folder):
    os.makedirs(f"{folder}/in")
    os.makedirs(f"{folder}/out")
    for clean in (False, True):
        planted = "nothing" if clean else PLANTED
        start = f"{folder}/in/{'clean-' if clean else ''}"
        for name, options in parquets():
            pq.write_table(table(planted), start + name, **options)
        for name, make, codec, form in arrows():
            made = make(planted)
            options = ipc.IpcWriteOptions(compression=codec)
            new = ipc.new_file if form == "file" else ipc.new_stream
            with new(start + name, made.schema, options=options) as writer:
                writer.write_table(made, max_chunksize=17 if name.startswith("all") else None)
        feather.write_feather(table(planted), start + "f.feather")


def rows(path):
    if path.endswith(".parquet"):
        read = pq.read_table(path)
    elif path.endswith("stream.arrow"):
        read = ipc.open_stream(path).read_all()
    else:
        read = ipc.open_file(path).read_all()
    read.validate(full=True)
    return read.to_pylist(), read.schema.metadata, [str(t) for t in read.schema.types]


def hide(value):
    if isinstance(value, str):
        return value.replace(PLANTED, HIDDEN)
    if isinstance(value, bytes):
        return value.replace(PLANTED.encode(), HIDDEN.encode())
    if isinstance(value, dict):
        return {hide(k): hide(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(hide(v) for v in value)
    return value


def shape(path):
    if not path.endswith(".parquet"):
        return None
    meta = pq.ParquetFile(path).metadata
    groups = [meta.row_group(n) for n in range(meta.num_row_groups)]
    return meta.num_rows, [(g.num_rows, [g.column(c).compression for c in range(g.num_columns)]) for g in groups]


def read(folder):
    for name in sorted(os.listdir(f"{folder}/in")):
        before, after = f"{folder}/in/{name}", f"{folder}/out/{name}"
        with open(before, "rb") as old, open(after, "rb") as new:
            old, new = old.read(), new.read()
        if name.startswith("clean-"):
            assert old == new, f"{name}: a clean table changed"
            continue
        assert PLANTED.encode() not in new, name
        (was, said, types), (came, says, now) = rows(before), rows(after)
        assert hide(was) == came, f"{name}: other rows"
        assert types == now, f"{name}: other types"
        wanted = {k: v for k, v in hide(said or {}).items()}
        assert wanted == (says or {}), f"{name}: other metadata"
        assert shape(before) == shape(after), f"{name}: other row groups"


{"write": write, "read": read}[sys.argv[1]](sys.argv[2])
