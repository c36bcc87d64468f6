#include "stream.h"

#include "status.h"

#include <utility>

thread_local Stream* capturing = nullptr;

int refuse() {
    capturing->graph->spoilt = true;
    return CAPTURE_UNSUPPORTED;
}

int Stream::enqueue(std::function<bool()> work) {
    if (graph != nullptr) {
        graph->nodes.push_back(std::move(work));
        return SUCCESS;
    }
    run(queued());
    return work() ? SUCCESS : LAUNCH_FAILED;
}

extern "C" {
int cuStreamBeginCapture_v2(Stream* stream, int mode) {
    constexpr int THREAD_LOCAL = 1;
    if (capturing != nullptr || mode != THREAD_LOCAL) {
        return INVALID_VALUE;
    }
    capturing = stream;
    stream->graph = new Graph;
    return SUCCESS;
}

int cuStreamEndCapture(Stream* stream, Graph** graph) {
    if (capturing != stream) {
        return INVALID_VALUE;
    }
    capturing = nullptr;
    *graph = std::exchange(stream->graph, nullptr);
    if ((*graph)->spoilt) {
        delete std::exchange(*graph, nullptr);
        return CAPTURE_INVALIDATED;
    }
    return SUCCESS;
}

int cuGraphInstantiateWithFlags(Graph** executable, const Graph* graph, unsigned long long) {
    *executable = new Graph(*graph);
    return SUCCESS;
}

int cuGraphLaunch(Graph* executable, Stream* stream) {
    if (stream->graph != nullptr) {
        return refuse();
    }
    stream->run(stream->queued());
    for (auto& node : executable->nodes) {
        if (!node()) {
            return LAUNCH_FAILED;
        }
    }
    return SUCCESS;
}

int cuGraphExecDestroy(Graph* executable) {
    delete executable;
    return SUCCESS;
}

int cuGraphDestroy(Graph* graph) {
    delete graph;
    return SUCCESS;
}
}
