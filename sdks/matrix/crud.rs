use openapi::apis::configuration::{ApiKey, Configuration};
use openapi::apis::elastigroups_api as groups;
use openapi::models::ElastigroupUpdate;
use std::env::var;

fn main() {
    let account = var("SPOT_API_ACCOUNT").unwrap();
    let mut server = Configuration::new();
    server.base_path = var("SPOT_API_URL").unwrap();
    server.api_key = Some(ApiKey { prefix: None, key: var("SPOT_API_TOKEN").unwrap() });

    let body = serde_json::from_str(&var("GROUP").unwrap()).unwrap();
    let create = groups::CreateElastigroupParams::builder().account(account.clone()).elastigroup_create(body).build();
    let id = groups::create_elastigroup(&server, create).unwrap().id.flatten().unwrap();
    let read = groups::GetElastigroupParams::builder().account(account.clone()).elastigroup(id.clone()).build();
    let name = groups::get_elastigroup(&server, read).unwrap().name.flatten().unwrap();
    let update = groups::UpdateElastigroupParams::builder().account(account.clone()).elastigroup(id.clone())
        .elastigroup_update(ElastigroupUpdate { description: Some(None), ..ElastigroupUpdate::new() }).build();
    groups::update_elastigroup(&server, update).unwrap();
    let list = groups::ListElastigroupsParams::builder().account(account.clone()).name(name).build();
    assert_eq!(groups::list_elastigroups(&server, list).unwrap().len(), 1);
    let delete = groups::DeleteElastigroupParams::builder().account(account).elastigroup(id).build();
    groups::delete_elastigroup(&server, delete).unwrap();
}
