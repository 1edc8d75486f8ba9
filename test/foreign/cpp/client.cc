// Checks a server with gRPC C++: prints "ok <name>" or "FAIL <name>: <problem>" for each check, and "done" at the end.
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "satchel/v1/streams.grpc.pb.h"

namespace {

using namespace satchel::v1;

constexpr int kMany = 6000;
constexpr int kBatch = 1000;
const std::string kData = "{\"text\": \"Gr\u00fc\u00dfe\"}";

std::unique_ptr<StreamService::Stub> stub;

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

struct Call : grpc::ClientContext {
  explicit Call(std::string token = Environment("SATCHEL_TEST_TOKEN"), std::chrono::milliseconds timeout = std::chrono::seconds(30)) {
    AddMetadata("authorization", "Bearer " + token);
    set_deadline(std::chrono::system_clock::now() + timeout);
  }
};

void Expect(bool condition, const std::string& what) {
  if (!condition) throw std::runtime_error(what);
}

void Ok(const grpc::Status& status) {
  Expect(status.ok(), std::to_string(status.error_code()) + " " + status.error_message());
}

std::string Uuid(int stream, int n) {
  char text[37];
  std::snprintf(text, sizeof text, "%08x-0000-4000-8000-%012x", stream, n);
  return text;
}

AppendMessagesRequest Request(int stream, int count, int first = 0) {
  AppendMessagesRequest request;
  request.set_stream_name("cpp-" + std::to_string(stream));
  for (int n = first; n < first + count; n++) {
    NewStreamMessage* message = request.add_messages();
    message->set_id(Uuid(stream, n));
    message->set_type("Said");
    message->set_data(kData);
  }
  return request;
}

AppendMessagesResponse Append(const AppendMessagesRequest& request) {
  Call call;
  AppendMessagesResponse response;
  Ok(stub->AppendMessages(&call, request, &response));
  return response;
}

google::rpc::ErrorInfo InfoOf(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  Expect(details.ParseFromString(status.error_details()) && details.details_size() > 0, "no details");
  Expect(details.details(0).UnpackTo(&info), "the first detail is no ErrorInfo");
  return info;
}

void Appends() {
  AppendMessagesRequest request = Request(1, 1);
  request.set_expected_version(-1);
  Expect(Append(request).messages(0).position() == 0, "position");
}

void RecognisesARepeat() {
  AppendMessagesRequest request = Request(2, 3);
  Expect(!Append(request).messages(2).deduplicated(), "new");
  AppendMessagesResponse again = Append(request);
  Expect(again.messages(2).deduplicated() && again.messages(2).position() == 2, "repeated");
}

void Reads() {
  Append(Request(3, 2));
  Call call;
  GetStreamMessagesRequest request;
  GetStreamMessagesResponse response;
  request.set_stream_name("cpp-3");
  Ok(stub->GetStreamMessages(&call, request, &response));
  Expect(response.messages_size() == 2 && response.messages(1).data().find("Gr\u00fc\u00dfe") != std::string::npos, "messages");
}

void TellsAConflict() {
  AppendMessagesRequest request = Request(1, 1, 5);
  request.set_expected_version(41);
  Call call;
  AppendMessagesResponse response;
  grpc::Status status = stub->AppendMessages(&call, request, &response);
  Expect(status.error_code() == grpc::StatusCode::ABORTED, "code");
  google::rpc::ErrorInfo info = InfoOf(status);
  Expect(info.domain() == "satchel" && info.reason() == "VERSION_CONFLICT", info.ShortDebugString());
  Expect(info.metadata().at("actual_version") == "0" && info.metadata().at("expected_version") == "41", info.ShortDebugString());
}

void RefusesAWrongToken() {
  Call call("satn_wrong");
  GetStreamVersionRequest request;
  GetStreamVersionResponse response;
  request.set_stream_name("cpp-1");
  grpc::Status status = stub->GetStreamVersion(&call, request, &response);
  Expect(status.error_code() == grpc::StatusCode::UNAUTHENTICATED, "code");
  Expect(InfoOf(status).reason() == "CREDENTIAL_INVALID", "reason");
}

void KeepsADeadline() {
  Call call(Environment("SATCHEL_TEST_TOKEN"), std::chrono::milliseconds(1));
  ReadMessagesRequest request;
  ReadMessagesResponse response;
  request.set_all(true);
  // Without end: a read that ends may well do so in time.
  request.set_follow(true);
  auto reader = stub->ReadMessages(&call, request);
  while (reader->Read(&response)) {
  }
  Expect(reader->Finish().error_code() == grpc::StatusCode::DEADLINE_EXCEEDED, "code");
}

void StreamsMany() {
  for (int first = 0; first < kMany; first += kBatch) Append(Request(9, kBatch, first));
  Call call;
  ReadMessagesRequest request;
  ReadMessagesResponse response;
  request.set_stream_name("cpp-9");
  auto reader = stub->ReadMessages(&call, request);
  int64_t next = 0;
  bool caught_up = false;
  while (reader->Read(&response)) {
    for (const StreamMessage& message : response.messages().messages()) Expect(message.position() == next++, "order");
    caught_up = response.has_caught_up();
  }
  Ok(reader->Finish());
  Expect(next == kMany && caught_up, std::to_string(next));
}

void SpeaksGzip() {
  AppendMessagesRequest request = Request(10, 500);
  Call call;
  call.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  AppendMessagesResponse response;
  Ok(stub->AppendMessages(&call, request, &response));
  Expect(response.messages_size() == 500, "messages");
}

void Check(const std::string& name, const std::function<void()>& work) {
  try {
    work();
    std::cout << "ok " << name << "\n";
  } catch (const std::exception& error) {
    std::cout << "FAIL " << name << ": " << error.what() << "\n";
  }
}

}  // namespace

int main() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(128 * 1024 * 1024);
  stub = StreamService::NewStub(grpc::CreateCustomChannel(Environment("SATCHEL_TEST_TARGET"), grpc::InsecureChannelCredentials(), arguments));
  Check("appends", Appends);
  Check("recognises a repeat", RecognisesARepeat);
  Check("reads", Reads);
  Check("tells a conflict", TellsAConflict);
  Check("refuses a wrong token", RefusesAWrongToken);
  Check("keeps a deadline", KeepsADeadline);
  Check("streams many", StreamsMany);
  Check("speaks gzip", SpeaksGzip);
  std::cout << "done\n";
}
