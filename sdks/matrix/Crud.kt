import org.openapitools.client.apis.ElastigroupsApi
import org.openapitools.client.infrastructure.ApiClient
import org.openapitools.client.infrastructure.Serializer
import org.openapitools.client.models.ElastigroupCreate
import org.openapitools.client.models.ElastigroupUpdate

fun main() {
    val account = System.getenv("SPOT_API_ACCOUNT")
    ApiClient.apiKey["X-Auth-Token"] = System.getenv("SPOT_API_TOKEN")
    val groups = ElastigroupsApi(System.getenv("SPOT_API_URL"))
    val body = Serializer.moshi.adapter(ElastigroupCreate::class.java).fromJson(System.getenv("GROUP"))!!
    val id = groups.createElastigroup(account, body).id!!
    val name = groups.getElastigroup(account, id).name
    groups.updateElastigroup(account, id, ElastigroupUpdate(description = null))
    check(groups.listElastigroups(account, name = name).size == 1)
    groups.deleteElastigroup(account, id)
}
