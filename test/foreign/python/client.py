"""Checks a server with grpcio: prints "ok <name>" or "FAIL <name>: <problem>" for each check, and "done" at the end."""

import json
import os
import uuid

import grpc
from google.rpc import error_details_pb2, status_pb2
from satchel.v1 import streams_pb2 as pb
from satchel.v1 import streams_pb2_grpc

TARGET = os.environ["SATCHEL_TEST_TARGET"]
TOKEN = os.environ["SATCHEL_TEST_TOKEN"]
TIMEOUT_S = 30
MANY = 6_000
BATCH = 1_000
TEXT = "Grüße 👋"

SERVICE_CONFIG = os.path.join(os.path.dirname(__file__), "../../../docs/clients/service-config.json")


def metadata(token=TOKEN):
    return (("authorization", f"Bearer {token}"),)


def call(method, request, token=TOKEN, **options):
    return method(request, timeout=options.pop("timeout", TIMEOUT_S), metadata=metadata(token), **options)


def failure_of(method, request, **options):
    """The status of a call that fails, and the google.rpc.ErrorInfo messages in its details."""
    try:
        response = call(method, request, **options)
        if hasattr(response, "__next__"):
            list(response)
    except grpc.RpcError as error:
        infos = []
        for key, value in error.trailing_metadata() or ():
            if key == "grpc-status-details-bin":
                for detail in status_pb2.Status.FromString(value).details:
                    info = error_details_pb2.ErrorInfo()
                    if detail.Unpack(info):
                        infos.append(info)
        return error.code(), infos
    raise AssertionError("the call has succeeded")


def append(stub, stream_name, count=1, **options):
    messages = [pb.NewStreamMessage(id=str(uuid.uuid4()), type="Said", data=json.dumps({"n": n, "text": TEXT})) for n in range(count)]
    request = pb.AppendMessagesRequest(stream_name=stream_name, messages=messages, **options)
    return request, call(stub.AppendMessages, request)


def appends(stub):
    _, response = append(stub, "py-1", expected_version=-1)
    assert [m.position for m in response.messages] == [0]


def recognises_a_repeat(stub):
    request, first = append(stub, "py-2", 3)
    again = call(stub.AppendMessages, request)
    assert all(m.deduplicated for m in again.messages) and not any(m.deduplicated for m in first.messages)
    assert [m.position for m in again.messages] == [m.position for m in first.messages]


def reads(stub):
    append(stub, "py-3", 2)
    page = call(stub.GetStreamMessages, pb.GetStreamMessagesRequest(stream_name="py-3"))
    assert [json.loads(m.data)["text"] for m in page.messages] == [TEXT, TEXT]
    assert call(stub.GetStreamVersion, pb.GetStreamVersionRequest(stream_name="py-3")).version == 1
    assert not call(stub.GetStreamVersion, pb.GetStreamVersionRequest(stream_name="py-none")).HasField("version")


def tells_a_conflict(stub):
    request = pb.AppendMessagesRequest(stream_name="py-1", expected_version=41, messages=[pb.NewStreamMessage(type="Said")])
    code, infos = failure_of(stub.AppendMessages, request)
    assert code == grpc.StatusCode.ABORTED and len(infos) == 1, (code, infos)
    assert (infos[0].domain, infos[0].reason) == ("satchel", "VERSION_CONFLICT"), infos
    assert dict(infos[0].metadata) == {"stream_name": "py-1", "expected_version": "41", "actual_version": "0"}, infos


def refuses_a_wrong_token(stub):
    code, infos = failure_of(stub.GetStreamVersion, pb.GetStreamVersionRequest(stream_name="py-1"), token="satn_wrong")
    assert code == grpc.StatusCode.UNAUTHENTICATED and infos[0].reason == "CREDENTIAL_INVALID", (code, infos)


def keeps_a_deadline(stub):
    code, _ = failure_of(stub.ReadMessages, pb.ReadMessagesRequest(all=True, follow=True), timeout=0.001)
    assert code == grpc.StatusCode.DEADLINE_EXCEEDED, code


def streams_many(stub):
    for _ in range(MANY // BATCH):
        append(stub, "many-1", BATCH)
    positions, caught_up = [], False
    for response in call(stub.ReadMessages, pb.ReadMessagesRequest(category="many")):
        positions.extend(m.position for m in response.messages.messages)
        caught_up = response.HasField("caught_up")
    assert positions == list(range(MANY)) and caught_up, (len(positions), caught_up)


def speaks_gzip(stub):
    append(stub, "gzip-1", 1)
    data = json.dumps(TEXT * 20_000)
    request = pb.AppendMessagesRequest(stream_name="gzip-2", messages=[pb.NewStreamMessage(type="Said", data=data)])
    call(stub.AppendMessages, request, compression=grpc.Compression.Gzip)
    read = call(stub.GetStreamMessages, pb.GetStreamMessagesRequest(stream_name="gzip-2"))
    assert json.loads(read.messages[0].data) == TEXT * 20_000


def main():
    with open(SERVICE_CONFIG, encoding="utf-8") as file:
        options = [("grpc.service_config", file.read()), ("grpc.max_receive_message_length", 128 * 1024 * 1024)]
    with grpc.insecure_channel(TARGET, options=options) as channel:
        stub = streams_pb2_grpc.StreamServiceStub(channel)
        for check in (appends, recognises_a_repeat, reads, tells_a_conflict, refuses_a_wrong_token, keeps_a_deadline, streams_many, speaks_gzip):
            name = check.__name__.replace("_", " ")
            try:
                check(stub)
                print(f"ok {name}")
            except Exception as error:  # whatever it is, it is this check's failure
                print(f"FAIL {name}: {type(error).__name__} {error}".replace("\n", " "))
    print("done")


main()
